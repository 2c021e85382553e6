// Makes a clean clone ready: installs the locked dependencies when they are missing or stale and, with --build,
// compiles src/ to dist/ when a source changed. It runs before anything is installed and on the machine's own
// Node (20 or later), so it may import nothing but Node's modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** Every file below a folder, sorted, so that the hash does not depend on the file system's order. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/** One hash of names and contents. */
function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function isCurrent(stamp, hash) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
}

function run(what, command, args) {
  console.error(`tessera: ${what} (${[command, ...args].join(' ')})`);
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error(`tessera: ${what} failed${error === undefined ? '' : `: ${error.message}`}`);
    process.exit(status ?? 1);
  }
}

/** True when what npm says it has installed is what the lockfile asks for; optional packages may be left out. */
function isInstalled() {
  const installed = 'node_modules/.package-lock.json';
  if (!existsSync(installed) || !existsSync('node_modules/.bin/node')) return false;
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

if (!isInstalled()) {
  run('installing dependencies', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
  if (!existsSync('node_modules/.bin/node')) {
    console.error(
      'tessera: the package "node" did not install its binary, so scripts would run on this machine\'s own Node ' +
        `(${process.version}; 22.19 or later is needed). Allow its install script: npm approve-scripts node, then npm ci.`,
    );
    process.exit(1);
  }
}

if (process.argv.includes('--build')) {
  const buildStamp = 'dist/.tessera-build';
  const buildHash = hashOf([
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
    ...filesBelow('src'),
  ]);
  if (!isCurrent(buildStamp, buildHash)) {
    rmSync('dist', { recursive: true, force: true });
    run('building', 'node_modules/.bin/node', [
      'node_modules/typescript/bin/tsc',
      '-p',
      'tsconfig.build.json',
    ]);
    writeFileSync(buildStamp, buildHash);
  }
}
