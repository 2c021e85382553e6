/**
 * SVG as text: elements, attributes and words, everything escaped. What comes out is well-formed XML whatever names a
 * workload or a file has; it holds no script and refers to nothing outside itself.
 */

export type Attributes = Readonly<Record<string, string | number>>;

/** An element with its children, which are elements or escaped words already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? shortNumber(value) : escaped(value)}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** Words for XML and HTML, between tags or in an attribute; characters that XML has no place for are replaced. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A hundredth of a pixel is more than any screen shows. */
export function shortNumber(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A polyline's `d`. */
export function pathOf(points: readonly (readonly [x: number, y: number])[]): string {
  return points
    .map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${shortNumber(x)} ${shortNumber(y)}`)
    .join('');
}

export interface Picture {
  /** Unique in its page. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, for those who cannot see it. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
}

/**
 * A picture as wide as its place, with its title and description for screen readers.
 *
 * @param style CSS of a picture that stands alone; in a page, the page has it
 */
export function svgPicture(picture: Picture, children: readonly string[], style?: string): string {
  const { id, title, description, width, height } = picture;
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${shortNumber(width)} ${shortNumber(height)}`,
      class: 'chart',
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-description`,
    },
    element('title', { id: `${id}-title` }, escaped(title)),
    element('desc', { id: `${id}-description` }, escaped(description)),
    ...(style === undefined ? [] : [element('style', {}, escaped(style))]),
    ...children,
  );
}
