// Provides the real Kubernetes binaries that `npm run e2e` starts: taken from KUBEBUILDER_ASSETS, else built with Go
// once and kept in the user's cache. Versions are pinned by the two go.mod files beside this script and by
// `helmVersion`; the folder's name carries them, so a moved pin builds anew instead of testing an old binary.
// A binary appears in the cache by rename and only after it ran, so a killed build leaves nothing half-done and two
// builds at once merely repeat work. Runs before anything is installed: it may import nothing but Node's modules.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

// Helm is installed as a released command, with its own dependency versions. 3.21 is the line built on client-go v0.36.
const helmVersion = 'v3.21.4';

const heartbeatMs = 30_000;

/** Go modules whose go.mod pins a version: the folder beside this script and the module that carries the version. */
const kubernetes = pinnedModule('kubernetes', 'k8s.io/kubernetes');
const etcd = pinnedModule('etcd', 'go.etcd.io/etcd/server/v3');

/** One binary each: the property of the result, the file, how it is built and how it tells its version. */
const binaries = [
  { key: 'etcd', file: 'etcd', ...etcd, target: etcd.path, stamps: [], versionArgs: ['--version'] },
  kubernetesBinary('kubeApiserver', 'kube-apiserver', ['--version']),
  kubernetesBinary('kubeScheduler', 'kube-scheduler', ['--version']),
  kubernetesBinary('kubectl', 'kubectl', ['version', '--client']),
  {
    key: 'helm',
    file: 'helm',
    version: helmVersion,
    target: `helm.sh/helm/v3/cmd/helm@${helmVersion}`,
    stamps: [`helm.sh/helm/v3/internal/version.version=${helmVersion}`, ...helmCapabilities()],
    versionArgs: ['version', '--short'],
  },
];

const remedy = `Or set KUBEBUILDER_ASSETS to a folder that holds ${binaries.map(({ file }) => file).join(', ')}.`;

/**
 * Paths of the five binaries, each run once to prove that it works; builds what is missing. `dir` is the folder that
 * holds them; where KUBEBUILDER_ASSETS supplies only some, it is the cache with the rest. `log` gets progress lines.
 * Throws an Error whose message says the remedy: no Go, a failed build, a binary that does not run.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<{ dir: string, etcd: string, kubeApiserver: string, kubeScheduler: string, kubectl: string, helm: string }>}
 */
export async function ensureBinaries({ log = () => {} } = {}) {
  const startMs = performance.now();
  const say = (line) =>
    log(`[${String(Math.round((performance.now() - startMs) / 1000)).padStart(4)} s] ${line}`);

  const supplied = await suppliedBinaries(process.env.KUBEBUILDER_ASSETS, say);
  const wanted = binaries.filter(({ key }) => supplied.paths[key] === undefined);
  if (wanted.length === 0) return { dir: supplied.dir, ...supplied.paths };

  const go = await findGo();
  const dir = join(cacheRoot(), 'tessera', cacheName(go));
  makeFolder(dir);
  const cached = await Promise.all(wanted.map((binary) => reportedVersion(binary, join(dir, binary.file))));
  const missing = wanted.filter((binary, index) => !isPinned(binary, cached[index]));
  if (missing.length > 0)
    say(`building ${missing.map(({ file }) => file).join(', ')} with ${go.version} into ${dir}`);
  for (const binary of missing) await build(binary, { go, dir, say });

  const built = wanted.map(({ key, file }) => [key, join(dir, file)]);
  return { dir, ...supplied.paths, ...Object.fromEntries(built) };
}

/** What KUBEBUILDER_ASSETS holds. A binary that is there but does not run is a fault to report, not to build over. */
async function suppliedBinaries(assets, say) {
  if (assets === undefined || assets === '') return { dir: undefined, paths: {} };
  const paths = {};
  for (const binary of binaries) {
    const path = join(assets, binary.file);
    if (!exists(path)) continue;
    const output = await reportedVersion(binary, path);
    if (output === undefined) {
      throw new Error(
        `${path}, named by KUBEBUILDER_ASSETS, does not run (${binary.versionArgs.join(' ')}). Replace it, or unset ` +
          `KUBEBUILDER_ASSETS to build the pinned versions with Go.`,
      );
    }
    // Allowed, as the person chose it; but kube-scheduler must not be newer than kube-apiserver, so say it.
    if (!isPinned(binary, output))
      say(`${path} is not the pinned ${binary.version}: ${output.split('\n')[0]}`);
    paths[binary.key] = path;
  }
  const absent = binaries.filter(({ key }) => paths[key] === undefined).map(({ file }) => file);
  if (absent.length > 0)
    say(`KUBEBUILDER_ASSETS (${assets}) has no ${absent.join(', ')}; taking the pinned versions`);
  return { dir: assets, paths };
}

/** Builds one binary into a folder of its own, runs it, then moves it into `dir`. */
async function build(binary, { go, dir, say }) {
  const finished = join(dir, binary.file);
  const startMs = performance.now();
  const elapsed = () => `${Math.round((performance.now() - startMs) / 1000)} s`;
  say(`building ${binary.file} ${binary.version}`);
  const heartbeat = setInterval(() => say(`still building ${binary.file}, ${elapsed()}`), heartbeatMs);
  const temporary = mkdtempSync(join(dir, '.building-'));
  try {
    const { args, ...options } = buildCommand(binary, temporary, go);
    const result = await run('go', args, options);
    if (result.code !== 0) {
      throw new Error(
        `Building ${binary.file} ${binary.version} failed (go ${args[0]}: ${result.failure}):\n` +
          `${result.output.trim().split('\n').slice(-15).join('\n')}\n` +
          `Needed: a reachable Go module proxy (go env GOPROXY) unless the modules are in Go's cache, free space in ` +
          `${dir} and in go env GOCACHE, and Go ${go.minimum} or newer. ${remedy}`,
      );
    }
    const candidate = join(temporary, binary.file);
    const output = await reportedVersion(binary, candidate);
    if (!isPinned(binary, output)) {
      throw new Error(
        `The new ${binary.file} should report ${binary.version}, but ` +
          `${output === undefined ? 'does not run' : `says: ${output}`}. The stamps in this script may no longer fit.`,
      );
    }
    renameSync(candidate, finished);
    say(`built ${binary.file} in ${elapsed()}`);
  } finally {
    clearInterval(heartbeat);
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Arguments, folder and environment of the `go` call that puts `binary` into `folder`. */
function buildCommand({ file, module, target, stamps }, folder, go) {
  const linker = ['-s', '-w', ...stamps.map((stamp) => `-X ${stamp}`)].join(' ');
  const common = ['-trimpath', '-buildvcs=false', `-ldflags=${linker}`];
  // The host's platform, whatever the caller cross-compiles for: the binaries run here.
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOWORK: 'off',
    GO111MODULE: 'on',
    GOOS: go.os,
    GOARCH: go.arch,
  };
  if (module !== undefined) {
    return {
      args: ['build', '-mod=readonly', ...common, '-o', join(folder, file), target],
      cwd: module,
      env,
    };
  }
  return { args: ['install', ...common, target], cwd: folder, env: { ...env, GOBIN: folder } };
}

function kubernetesBinary(key, file, versionArgs) {
  const [major, minor] = kubernetes.version.slice(1).split('.');
  // A binary built from a module says v0.0.0 unless stamped, and version checks of clients and webhooks then fail.
  // The commit and the date only have to be constant: they are shown, never compared.
  const values = {
    gitVersion: kubernetes.version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    buildDate: '1970-01-01T00:00:00Z',
  };
  const stamps = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((place) =>
    Object.entries(values).map(([name, value]) => `${place}.${name}=${value}`),
  );
  return { key, file, ...kubernetes, target: `k8s.io/kubernetes/cmd/${file}`, stamps, versionArgs };
}

/** Without a cluster, an unstamped helm takes Kubernetes v1.20 for the one it renders and lints for (its Makefile). */
function helmCapabilities() {
  const [major, minor] = kubernetes.version.slice(1).split('.');
  return ['chartutil', 'lint/rules'].flatMap((place) => [
    `helm.sh/helm/v3/pkg/${place}.k8sVersionMajor=${major}`,
    `helm.sh/helm/v3/pkg/${place}.k8sVersionMinor=${minor}`,
  ]);
}

function pinnedModule(folder, path) {
  const module = fileURLToPath(new URL(folder, import.meta.url));
  const sums = readFileSync(join(module, 'go.sum'), 'utf8');
  const text = readFileSync(join(module, 'go.mod'), 'utf8');
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  const valueOf = (name) =>
    words.map((line) => line.filter((word) => word !== 'require')).find(([w]) => w === name)?.[1];
  const version = valueOf(path);
  const minimum = valueOf('go');
  if (version === undefined || minimum === undefined)
    throw new Error(`${module}/go.mod lacks ${path} or a go line`);
  return { module, path, version, minimum, lock: text + sums };
}

/** The Go at hand as it is within the modules, so a toolchain that Go itself switches to counts. */
async function findGo() {
  const names = ['GOVERSION', 'GOHOSTOS', 'GOHOSTARCH'];
  const { code, missing, failure, output, stdout } = await run('go', ['env', ...names], {
    cwd: kubernetes.module,
  });
  if (missing) {
    throw new Error(
      'The real Kubernetes binaries are built with Go, and there is no "go" on the PATH. ' +
        `Install Go ${kubernetes.minimum} or newer (https://go.dev/dl/). ${remedy}`,
    );
  }
  const [version, os, arch] = stdout.trim().split('\n');
  if (code !== 0 || arch === undefined) throw new Error(`"go env" failed (${failure}): ${output.trim()}`);
  if (isOlder(version, kubernetes.minimum)) {
    throw new Error(
      `${version} is too old; install Go ${kubernetes.minimum} or newer (https://go.dev/dl/). ${remedy}`,
    );
  }
  return { version, os, arch, minimum: kubernetes.minimum };
}

function isOlder(version, minimum) {
  const [have, need] = [version, minimum].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  // A development toolchain ("devel go1.27-…") compares like a release: its first two numbers are right.
  return have[0] !== need[0] ? have[0] < need[0] : have[1] < need[1];
}

/** Versions and platform for people, plus a digest of everything else that shapes the binaries. */
function cacheName({ version, os, arch }) {
  const recipe = binaries.map(({ target, stamps, lock }) => [target, stamps, lock]);
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 8);
  const go = version.replaceAll(/[^\w.-]+/g, '-');
  return `kubernetes-${kubernetes.version}_etcd-${etcd.version}_helm-${helmVersion}_${go}_${os}-${arch}_${digest}`;
}

function cacheRoot() {
  const root = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification says to ignore a relative path.
  return root !== undefined && isAbsolute(root) ? root : join(homedir(), '.cache');
}

function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new Error(
      `Cannot create the cache folder ${path}: set XDG_CACHE_HOME to a folder that can be written.`,
      {
        cause,
      },
    );
  }
}

/** What the binary prints about its version; undefined when it is absent or does not run. */
async function reportedVersion({ versionArgs }, path) {
  if (!exists(path)) return undefined;
  const { code, stdout } = await run(path, versionArgs, {});
  return code === 0 ? stdout.trim() : undefined;
}

/** etcd prints its version without the v; the end of the number must match too, or v1.36.1 would pass for v1.36.11. */
function isPinned({ version }, output) {
  if (output === undefined) return false;
  const number = version.slice(1).replaceAll('.', String.raw`\.`);
  return new RegExp(String.raw`(^|[^\d.])${number}($|[^\d.])`, 'm').test(output);
}

function exists(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
    throw new Error(
      `${path} is there but cannot be executed (${error.code}): correct its mode or remove it.`,
      {
        cause: error,
      },
    );
  }
}

/** Runs a command to its end. Never rejects: a command that cannot start has code undefined and says why in failure. */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', (error) => {
      resolve({ code: undefined, missing: error.code === 'ENOENT', failure: error.message, output, stdout });
    });
    child.on('close', (code, signal) => {
      resolve({
        code,
        missing: false,
        failure: signal === null ? `exit ${code}` : `killed by ${signal}`,
        output,
        stdout,
      });
    });
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { dir } = await ensureBinaries({ log: (line) => console.error(line) });
    console.log(dir);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
