// Writes deploy/manifests/tessera.yaml: the chart with its defaults, for those who do not use Helm; and for tests the
// chart where kube-scheduler runs elsewhere. Needs helm v3:
//   node deploy/render-manifests.mjs [path of helm]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const chart = join(here, 'chart');
export const manifestsFile = join(here, 'manifests', 'tessera.yaml');
export const serviceModeFile = join(here, '..', 'test', 'golden', 'chart-service-mode.yaml');

/** Of the chart, for a kube-scheduler elsewhere. */
export const serviceModeValues = ['kubeScheduler.enabled=false', 'extender.clientCaSecret=schedulers'];

/** Of the cluster that the manifests are for, hence of their kube-scheduler. */
const kubeVersion = 'v1.36.3';

/** A digest of all files of the chart, so that a test without Helm sees when the manifests are out of date. */
export function chartDigest() {
  const hash = createHash('sha256');
  const files = readdirSync(chart, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    hash.update(file.slice(chart.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/** The text of the manifests, rendered by this helm with these values over the defaults. */
export function renderManifests(helm, values = []) {
  const set = values.flatMap((value) => ['--set', value]);
  const place = ['--namespace', 'tessera-system', '--kube-version', kubeVersion];
  const args = ['template', 'tessera', chart, ...place, ...set];
  const rendered = execFileSync(helm, args, { encoding: 'utf8' });
  return [
    '# Made from deploy/chart by deploy/render-manifests.mjs; edit the chart instead.',
    `# Chart: sha256:${chartDigest()}`,
    rendered,
  ].join('\n');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const helm = argv[2] ?? 'helm';
  writeFileSync(manifestsFile, renderManifests(helm));
  writeFileSync(serviceModeFile, renderManifests(helm, serviceModeValues));
}
