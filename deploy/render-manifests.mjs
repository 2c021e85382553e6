// Writes deploy/manifests/tessera.yaml: the chart with its defaults, for those who do not use Helm; and for tests the
// chart where kube-scheduler runs elsewhere, where the server keeps what it learns, and what it makes of vendors in
// several ways. Needs helm v3:
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

export const learningFile = join(here, '..', 'test', 'golden', 'chart-learning.yaml');

/** Of the chart, for a server that keeps the workload it learns. */
export const learningValues = ['config.nodePolicy=fragmentation'];

export const vendorCasesFile = join(here, '..', 'test', 'golden', 'chart-vendors.yaml');

const wholeDeviceConfig = readFileSync(join(here, '..', 'test', 'config', 'device-config.yaml'), 'utf8');

const ownChip = { chipName: '910X', commonWord: 'Ascend910X', memoryAllocatable: 1024 };

/** Values of the chart with vendors of all kinds; for each a test compares with `tessera manifests`. */
export const vendorCases = [
  { name: "the whole file of HAMi's chart", values: { deviceConfig: wholeDeviceConfig } },
  {
    name: 'families that are switched on and off in our own settings',
    values: {
      config: {
        vendors: {
          nvidia: { enabled: false },
          hygon: { enabled: true, resourceCoreName: '' },
          vnpus: { enabled: true },
        },
      },
    },
  },
  {
    name: 'a block of HAMi that is switched off, and names over its names',
    values: {
      config: {
        vendors: { amd: { enabled: false }, hygon: { resourceMemoryName: 'example.com/dcu-memory' } },
      },
      deviceConfig: wholeDeviceConfig,
    },
  },
  {
    name: 'names that HAMi leaves out, in several documents',
    values: {
      deviceConfig: [
        'nvidia: { resourcePriorityName: "" }',
        'hygon: { resourceCountName: example.com/dcu }',
        'metax: { resourceVCountName: example.com/sgpu, resourceVMemoryName: null }',
        'cambricon: { resourceCountName: example.com/mlu }\namd: {}\n',
        'hygon: { resourceCountName: example.com/second }',
      ].join('\n---\n'),
    },
  },
  {
    name: 'an older list of chips',
    values: {
      // JSON is YAML.
      deviceConfig: JSON.stringify({
        vnpus: [
          { ...ownChip, resourceName: 'example.com/npu', resourceMemoryName: 'example.com/npu-memory' },
          { ...ownChip, commonWord: 'Ascend910Y' },
        ],
      }),
    },
  },
  {
    name: 'chips that change every container',
    values: {
      config: {
        vendors: {
          vnpus: {
            enabled: true,
            configs: [{ ...ownChip, resourceName: 'example.com/npu', overwriteEnv: true }],
          },
        },
      },
    },
  },
  {
    name: 'a policy of compute that changes every container',
    values: { config: { vendors: { nvidia: { gpuCorePolicy: 'force' } } } },
  },
];

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

const templateArgs = [
  ...['template', 'tessera', chart],
  ...['--namespace', 'tessera-system', '--kube-version', kubeVersion],
];

function withHeader(text) {
  return [
    '# Made from deploy/chart by deploy/render-manifests.mjs; edit the chart instead.',
    `# Chart: sha256:${chartDigest()}`,
    text,
  ].join('\n');
}

/** The text of the manifests, rendered by this helm with these values over the defaults. */
export function renderManifests(helm, values = []) {
  const set = values.flatMap((value) => ['--set', value]);
  return withHeader(execFileSync(helm, [...templateArgs, ...set], { encoding: 'utf8' }));
}

/** The two objects that list resources, rendered by this helm for each of `vendorCases`, under a line with its name. */
export function renderVendorCases(helm) {
  const templates = ['mutatingwebhookconfiguration', 'kube-scheduler-configmap'];
  const show = templates.flatMap((name) => ['--show-only', `templates/${name}.yaml`]);
  const rendered = vendorCases.map(({ name, values }) => {
    const args = [...templateArgs, ...show, '--values', '-'];
    const text = execFileSync(helm, args, { encoding: 'utf8', input: JSON.stringify(values) });
    return `# Case: ${name}\n${text}`;
  });
  return withHeader(rendered.join(''));
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const helm = argv[2] ?? 'helm';
  writeFileSync(manifestsFile, renderManifests(helm));
  writeFileSync(serviceModeFile, renderManifests(helm, serviceModeValues));
  writeFileSync(learningFile, renderManifests(helm, learningValues));
  writeFileSync(vendorCasesFile, renderVendorCases(helm));
}
