/** What the image is built from; that it builds and runs is seen where there is a container engine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = new URL('../../', import.meta.url);
const dockerfile = readFileSync(new URL('Dockerfile', root), 'utf8');
const instructions = dockerfile.split('\n').filter((line) => /^[A-Z]/.test(line));

describe('the Dockerfile', () => {
  it('pins every base by digest', () => {
    const bases = instructions.flatMap((line) => /^ARG \w+_IMAGE=(.*)$/.exec(line)?.slice(1) ?? []);
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(/^[^@]+:[^@]+@sha256:[0-9a-f]{64}$/);
  });

  it('builds with the Node that the project is developed with', () => {
    const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(dockerfile).toContain(`NODE_IMAGE=node:${devDependencies['node']!}-`);
  });

  it('copies from the checkout only what is there and what .dockerignore lets through', () => {
    const sources = instructions
      .flatMap((line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.slice(1) ?? [])
      .flatMap((list) => list.split(' '));
    const allowed = readFileSync(new URL('.dockerignore', root), 'utf8')
      .split('\n')
      .flatMap((line) => /^!(.*?)\/?$/.exec(line)?.slice(1) ?? []);
    expect([...new Set(sources)].sort()).toEqual([...allowed].sort());
    expect(sources.filter((source) => !existsSync(new URL(source, root)))).toEqual([]);
  });

  it('has `scheduler` on the PATH, a link to a file that the Node of the image runs', () => {
    const [, target, link] = /ln -s (\S+) links(\S+)/.exec(dockerfile) ?? [];
    const [, folder, file] = /^(.*)\/([^/]+)$/.exec(link ?? '') ?? [];
    expect(file).toBe('scheduler');
    const [, path] = /^ENV .*\bPATH=(\S+)/m.exec(dockerfile) ?? [];
    expect(path?.split(':')).toContain(folder);
    expect(instructions).toContain('COPY --from=build /app/links /');

    const [, built] = /^\/app\/dist\/(.+)\.js$/.exec(target ?? '') ?? [];
    expect(dockerfile).toContain(`chmod 755 dist/${built ?? '?'}.js`);
    const source = new URL(`src/${built ?? '?'}.ts`, root);
    const [, node] = /^ENTRYPOINT \["([^"]+)"/m.exec(dockerfile) ?? [];
    expect(readFileSync(source, 'utf8').split('\n')[0]).toBe(`#!${node ?? '?'}`);
    const printed = execFileSync(process.execPath, [fileURLToPath(source), 'version'], { encoding: 'utf8' });
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      version: string;
    };
    expect(printed).toBe(`tessera ${version}\n`);
  });

  it('runs as nobody in particular, and without a shell', () => {
    expect(instructions.slice(-4)).toEqual([
      'USER 65532:65532',
      'EXPOSE 8443 9395',
      'ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]',
      'CMD ["serve"]',
    ]);
  });
});
