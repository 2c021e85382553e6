/**
 * `docs/adding-a-vendor.md` shows the example vendor as it is tested here, and names all that a vendor can say.
 * UPDATE_GOLDEN=1 rewrites what it shows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const fileOf = (path: string) => new URL(`../../../${path}`, import.meta.url);
const textOf = (path: string) => readFileSync(fileOf(path), 'utf8');
const pagePath = 'docs/adding-a-vendor.md';

/** Where the files are, and where they would stand in the house. */
const places = new Map([
  ['test/vendors/example-vendor/acme.ts', 'src/vendors/acme.ts'],
  ['test/vendors/example-vendor/acme.test.ts', 'test/vendors/acme.test.ts'],
]);

/** A file's text with its imports as they would be from its place in the house. */
function asPlaced(path: string, place: string): string {
  return textOf(path).replaceAll(/(?<=from ')\.[^']*(?=')/g, (specifier) => {
    const file = posix.join(posix.dirname(path), specifier);
    const moved = posix.relative(posix.dirname(place), places.get(file) ?? file);
    return moved.startsWith('.') ? moved : `./${moved}`;
  });
}

const files = [...places].map(([path, place]) => ({ place, text: asPlaced(path, place) }));

/** The members of an interface by name, as its source lists them. */
function membersOf(path: string, name: string): readonly string[] {
  const [, body = ''] =
    new RegExp(`export interface ${name}\\b[^{]*\\{\\n([^]*?)\\n\\}`).exec(textOf(path)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, member]) => member!);
}

describe('docs/adding-a-vendor.md', () => {
  it.each(files)('shows $place word for word', ({ place, text }) => {
    const page = textOf(pagePath);
    const shown = new RegExp(`(?<=\\n\`${place}\`[^]*?\\n\`\`\`ts\\n)[^]*?(?=\`\`\`\\n)`);
    expect(page).toMatch(shown);
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(
        fileOf(pagePath),
        page.replace(shown, () => text),
      );
    expect(shown.exec(textOf(pagePath))?.[0]).toBe(text);
  });

  it('shows a vendor that imports what a vendor may', () => {
    const [vendor] = files;
    const imported = [...vendor!.text.matchAll(/from '([^']*)'/g)].map(([, specifier]) => specifier);
    expect(imported.length).toBeGreaterThan(5);
    expect(imported.filter((specifier) => !/^(\.\/|\.\.\/(model|wire)\/)/.test(specifier!))).toEqual([]);
  });

  it.each([
    { path: 'src/vendors/vendor-family.ts', name: 'VendorFamily' },
    { path: 'src/vendors/vendor.ts', name: 'Vendor' },
    { path: 'src/vendors/card-rules.ts', name: 'CardRules' },
  ])('explains every member of $name', ({ path, name }) => {
    const members = membersOf(path, name);
    expect(members.length).toBeGreaterThan(1);
    const page = textOf(pagePath);
    expect(members.filter((member) => !page.includes(`\n| \`${member}\``))).toEqual([]);
  });
});
