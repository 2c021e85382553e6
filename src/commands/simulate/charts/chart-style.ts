/**
 * How charts look: colours of light and dark screens as CSS variables, and for every policy a colour, a dash and a
 * marker that stay its own in every chart. Hues are apart for colour-blind eyes, and nobody needs them: dash and marker
 * say the same.
 */
import { type PolicyName, policyNames } from '../../../simulator/policy.ts';
import { type Attributes, element, shortNumber } from './svg.ts';

interface Colour {
  readonly light: string;
  readonly dark: string;
}

/** After Okabe and Ito, "Color Universal Design", darkened for white and lightened for black grounds. */
const colours: Readonly<Record<PolicyName, Colour>> = {
  fragmentation: { light: '#0072b2', dark: '#56b4e9' },
  binpack: { light: '#d55e00', dark: '#ff8f4a' },
  spread: { light: '#00805e', dark: '#2fcba0' },
  fgd: { light: '#882255', dark: '#e58ab8' },
  bestfit: { light: '#b5529b', dark: '#dcb0ff' },
  dotprod: { light: '#9a6b00', dark: '#e6b422' },
  gpupacking: { light: '#332288', dark: '#a6a8ff' },
  gpuclustering: { light: '#2f86b5', dark: '#8ee3ef' },
  random: { light: '#666666', dark: '#aaaaaa' },
};

const dashes: Readonly<Record<PolicyName, string>> = {
  fragmentation: 'none',
  binpack: '9 4',
  spread: '2 3',
  fgd: '12 3 3 3',
  bestfit: '5 3',
  dotprod: '10 3 2 3 2 3',
  gpupacking: '16 4',
  gpuclustering: '4 2 1 2',
  random: '1 4',
};

export function colourOf(policy: PolicyName): string {
  return `var(--${policy})`;
}

export function dashOf(policy: PolicyName): string {
  return dashes[policy];
}

/** The policy's sign around a point, filled or hollow, about eight pixels wide. */
export function marker(policy: PolicyName, x: number, y: number): string {
  const radius = 4;
  const solid = { fill: colourOf(policy), stroke: 'none' };
  const hollow = { fill: 'var(--ground)', stroke: colourOf(policy), 'stroke-width': 1.5 };
  const drawn = { fill: 'none', stroke: colourOf(policy), 'stroke-width': 2 };
  const polygon = (paint: Attributes, ...points: readonly (readonly [number, number])[]) =>
    element('polygon', {
      points: points
        .map(([dx, dy]) => `${shortNumber(x + dx * radius)},${shortNumber(y + dy * radius)}`)
        .join(' '),
      ...paint,
    });
  const strokes = (...lines: readonly (readonly [number, number, number, number])[]) =>
    element('path', {
      d: lines
        .map(
          ([ax, ay, bx, by]) =>
            `M${shortNumber(x + ax * radius)} ${shortNumber(y + ay * radius)}L${shortNumber(x + bx * radius)} ${shortNumber(y + by * radius)}`,
        )
        .join(''),
      ...drawn,
    });
  const markers: Readonly<Record<PolicyName, () => string>> = {
    fragmentation: () => element('circle', { cx: x, cy: y, r: radius, ...solid }),
    binpack: () => polygon(solid, [-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
    spread: () => polygon(solid, [0, -1.1], [1.1, 0.9], [-1.1, 0.9]),
    fgd: () => polygon(solid, [0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]),
    bestfit: () => element('circle', { cx: x, cy: y, r: radius, ...hollow }),
    dotprod: () => polygon(hollow, [-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
    gpupacking: () => polygon(hollow, [0, -1.1], [1.1, 0.9], [-1.1, 0.9]),
    gpuclustering: () => strokes([-1, -1, 1, 1], [-1, 1, 1, -1]),
    random: () => strokes([-1.1, 0, 1.1, 0], [0, -1.1, 0, 1.1]),
  };
  return markers[policy]();
}

function variables(shade: keyof Colour, ground: Readonly<Record<string, string>>): string {
  return [
    ...Object.entries(ground).map(([name, value]) => `--${name}:${value}`),
    ...policyNames.map((policy) => `--${policy}:${colours[policy][shade]}`),
  ].join(';');
}

/** The variables of both shades and how the parts of a chart look; for a page's head or a lone picture. */
export const chartStyle = [
  `:root{color-scheme:light dark;${variables('light', { ground: '#ffffff', ink: '#1b1f24', faint: '#57606a', rule: '#d8dee4' })}}`,
  `@media (prefers-color-scheme:dark){:root{${variables('dark', { ground: '#14181d', ink: '#e6eaef', faint: '#9aa4af', rule: '#333b44' })}}}`,
  '.chart{background:var(--ground);font-family:system-ui,sans-serif;font-size:12px}',
  '.chart text{fill:var(--ink)}.chart .tick{fill:var(--faint)}.chart .grid{stroke:var(--rule);stroke-width:1}',
  '.chart .axis{stroke:var(--faint);stroke-width:1}.chart .name{font-weight:600}',
].join('\n');
