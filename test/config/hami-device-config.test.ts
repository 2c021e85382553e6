import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseHamiDeviceConfig } from '../../src/config/hami-device-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { parse as parseYaml } from 'yaml';
import { makeVendors, vendorFamilies } from '../../src/vendors/vendors.ts';
import { makeTemporaryFiles } from './temporary-files.ts';

const write = makeTemporaryFiles();

const wholeFile = fileURLToPath(new URL('device-config.yaml', import.meta.url));

/** The keys of spec §3.2 in the manner of the chart: other blocks beside, a number for the log level. */
const chartFile = `
nvidia:
  resourceCountName: example.com/gpu
  resourceMemoryName: example.com/gpumem
  resourceMemoryPercentageName: example.com/gpumem-percentage
  resourceCoreName: example.com/gpucores
  resourcePriorityName: example.com/priority
  overwriteEnv: yes
  defaultMemory: 512
  defaultCores: 5
  defaultGPUNum: -1
  memoryFactor: 0
  disableCoreLimit: off
  gpuCorePolicy: force
  runtimeClassName: nvidia
  deviceSplitCount: 7
  deviceMemoryScaling: 1.5
  deviceCoreScaling: 2
  preConfiguredDeviceMemory: 0
  libCudaLogLevel: 3
  enableNumaTopology: true
  migProfileAllowlist:
    - models: [A30]
      profiles: [1g.6gb, 2g.12gb]
  knownMigGeometries:
    - models: [A30]
      allowedGeometries:
        - - { name: 1g.6gb, core: 25, memory: 6144, count: 4 }
        - - { name: 4g.24gb, memory: 24576, count: 1 }
acme:
  resourceCountName: example.com/acme
others: []
`;

/** What the parser says of families that a file does not have. */
const off = Object.fromEntries(
  Object.keys(vendorFamilies)
    .filter((block) => block !== 'nvidia')
    .map((block) => [block, { enabled: false }]),
);

describe('parseHamiDeviceConfig', () => {
  it('takes every key of the nvidia block, and has the families off that the file does not have', () => {
    expect(parseHamiDeviceConfig(chartFile)).toEqual({
      ok: true,
      value: {
        vendors: {
          ...off,
          nvidia: {
            resourceCountName: 'example.com/gpu',
            resourceMemoryName: 'example.com/gpumem',
            resourceMemoryPercentageName: 'example.com/gpumem-percentage',
            resourceCoreName: 'example.com/gpucores',
            resourcePriorityName: 'example.com/priority',
            overwriteEnv: true,
            defaultMemory: 512,
            defaultCores: 5,
            defaultGPUNum: -1,
            memoryFactor: 0,
            disableCoreLimit: false,
            gpuCorePolicy: 'force',
            runtimeClassName: 'nvidia',
            deviceSplitCount: 7,
            deviceMemoryScaling: 1.5,
            deviceCoreScaling: 2,
            preConfiguredDeviceMemory: 0,
            libCudaLogLevel: '3',
            enableNumaTopology: true,
            migProfileAllowlist: [{ models: ['A30'], profiles: ['1g.6gb', '2g.12gb'] }],
            knownMigGeometries: [
              {
                models: ['A30'],
                allowedGeometries: [
                  [{ name: '1g.6gb', core: 25, memory: 6144, count: 4 }],
                  [{ name: '4g.24gb', memory: 24576, count: 1 }],
                ],
              },
            ],
          },
        },
        warnings: ['blocks that are not read: acme, others'],
      },
    });
  });

  const accepted = [
    {
      name: 'leaves out what the file leaves out',
      text: 'nvidia: { defaultCores: 1 }',
      want: { nvidia: { defaultCores: 1 }, warnings: [] },
    },
    {
      name: 'takes a key without a value for one left out',
      text: 'nvidia:\n  runtimeClassName:\n  defaultCores: 1\n',
      want: { nvidia: { defaultCores: 1 }, warnings: [] },
    },
    {
      name: 'takes an empty choice for one left out',
      text: 'nvidia: { gpuCorePolicy: "", runtimeClassName: "" }',
      want: { nvidia: { runtimeClassName: '' }, warnings: [] },
    },
    {
      name: 'warns of unknown keys and of our own switch, at every depth',
      text: 'nvidia: { enabled: false, new: 1, migProfileAllowlist: [{ models: [a], profiles: [1g.5gb], old: 2 }] }',
      want: {
        nvidia: { migProfileAllowlist: [{ models: ['a'], profiles: ['1g.5gb'] }] },
        warnings: [
          'nvidia.enabled: unknown key, ignored',
          'nvidia.new: unknown key, ignored',
          'nvidia.migProfileAllowlist.0.old: unknown key, ignored',
        ],
      },
    },
    {
      name: 'reads the first of several nvidia blocks',
      text: '# chart\n---\nacme: {}\n---\nnvidia: { defaultCores: 1 }\n---\nnvidia: { defaultCores: 2 }\n',
      want: {
        nvidia: { defaultCores: 1 },
        warnings: [
          'has more than one nvidia block; only the first is read',
          'blocks that are not read: acme',
        ],
      },
    },
    {
      name: 'takes the last of two equal keys, as its own reader does',
      text: 'nvidia: { defaultCores: 1, defaultCores: 2 }',
      want: { nvidia: { defaultCores: 2 }, warnings: [] },
    },
    {
      name: 'warns of a file without an nvidia block',
      text: 'acme: { resourceCountName: example.com/acme }',
      want: {
        nvidia: {},
        warnings: ['has no nvidia block; the defaults apply', 'blocks that are not read: acme'],
      },
    },
    {
      name: 'warns of an empty nvidia block beside another',
      text: 'nvidia:\nacme: { resourceCountName: example.com/acme }',
      want: {
        nvidia: {},
        warnings: ['has no nvidia block; the defaults apply', 'blocks that are not read: acme'],
      },
    },
    {
      name: 'takes 0 and false for something that was said',
      text: 'nvidia: { overwriteEnv: false, defaultMemory: 0 }',
      want: { nvidia: { overwriteEnv: false, defaultMemory: 0 }, warnings: [] },
    },
    {
      name: 'ignores layouts of MIG that cannot be read, as nobody reads them any more',
      text: 'nvidia: { defaultCores: 1, knownMigGeometries: [{ models: [A30] }] }',
      want: {
        nvidia: { defaultCores: 1 },
        warnings: [
          "nvidia.knownMigGeometries.0: must have required property 'allowedGeometries'; the key is ignored, as by HAMi since v2.10",
        ],
      },
    },
    {
      name: 'skips a key that JavaScript gives a meaning',
      text: 'nvidia: { __proto__: { defaultCores: 1 }, constructor: 2 }',
      want: {
        nvidia: {},
        warnings: ['nvidia.__proto__: unknown key, ignored', 'nvidia.constructor: unknown key, ignored'],
      },
    },
  ];
  it.each(accepted)('$name', ({ text, want: { nvidia, warnings } }) => {
    const want = { vendors: { ...off, nvidia }, warnings };
    expect(parseHamiDeviceConfig(text)).toEqual({ ok: true, value: want });
  });

  const hygon = { resourceCountName: '', resourceMemoryName: '', resourceCoreName: '' };
  const others = [
    {
      name: 'switches a family on by its block, with empty names where HAMi has none',
      text: 'hygon: { resourceCountName: example.com/dcu, memoryFactor: 2 }',
      want: { hygon: { ...hygon, enabled: true, resourceCountName: 'example.com/dcu', memoryFactor: 2 } },
      wantWarnings: [],
    },
    {
      name: 'takes a block without keys for one with empty names',
      text: 'hygon: {}\nother: 1',
      want: { hygon: { ...hygon, enabled: true } },
      wantWarnings: ['blocks that are not read: other'],
    },
    {
      name: 'takes a block without a value for none',
      text: 'hygon:\nother: 1',
      want: { hygon: { enabled: false } },
      wantWarnings: ['blocks that are not read: other'],
    },
    {
      name: 'warns of what it does not know in any block, our switch included',
      text: 'hygon: { resourceCountName: example.com/dcu, enabled: false, count: 4 }',
      want: { hygon: { ...hygon, enabled: true, resourceCountName: 'example.com/dcu' } },
      wantWarnings: ['hygon.enabled: unknown key, ignored', 'hygon.count: unknown key, ignored'],
    },
    {
      name: 'reads the first of several blocks of any family',
      text: 'hygon: { resourceCountName: example.com/a }\n---\nhygon: { resourceCountName: example.com/b }',
      want: { hygon: { ...hygon, enabled: true, resourceCountName: 'example.com/a' } },
      wantWarnings: ['has more than one hygon block; only the first is read'],
    },
    {
      name: 'takes a bare list of chips, as in older files',
      text: 'vnpus: [{ commonWord: Ascend910X, resourceName: example.com/npu, memoryAllocatable: 1024 }]',
      want: {
        vnpus: {
          enabled: true,
          configs: [expect.objectContaining({ commonWord: 'Ascend910X', resourceMemoryName: '' }) as unknown],
        },
      },
      wantWarnings: [],
    },
    {
      name: 'takes the chips of the newer form, and warns of what it does not know in them',
      text: 'vnpus: { hamiVnpuCore: true, configs: [{ commonWord: Ascend910X, memoryAllocatable: 1024, old: 1 }] }',
      want: {
        vnpus: {
          enabled: true,
          hamiVnpuCore: true,
          configs: [expect.objectContaining({ commonWord: 'Ascend910X', resourceName: '' }) as unknown],
        },
      },
      wantWarnings: ['vnpus.configs.0.old: unknown key, ignored'],
    },
  ];
  it.each(others)('$name', ({ text, want, wantWarnings }) => {
    const answer = parseHamiDeviceConfig(`nvidia: { defaultCores: 1 }\n---\n${text}`);
    expect(answer).toEqual({
      ok: true,
      value: { vendors: { ...off, nvidia: { defaultCores: 1 }, ...want }, warnings: wantWarnings },
    });
  });

  const refused = [
    {
      name: 'refuses a wrong type with its place',
      text: 'nvidia: { defaultCores: ten }',
      want: 'nvidia.defaultCores: must be integer',
    },
    {
      name: 'refuses a number in quotes',
      text: 'nvidia: { defaultCores: "1" }',
      want: 'nvidia.defaultCores: must be integer',
    },
    {
      name: 'refuses a profile that is none',
      text: 'nvidia: { migProfileAllowlist: [{ models: [a], profiles: [big] }] }',
      want: 'nvidia.migProfileAllowlist.0.profiles.0: must match pattern',
    },
    {
      name: 'refuses an allowance without models',
      text: 'nvidia: { migProfileAllowlist: [{ models: [], profiles: [1g.5gb] }] }',
      want: 'nvidia.migProfileAllowlist.0.models: must NOT have fewer than 1',
    },
    { name: 'refuses an nvidia block that is a list', text: 'nvidia: [1]', want: 'nvidia: must be object' },
    {
      name: 'refuses a wrong type in the block of another family',
      text: 'hygon: { memoryFactor: two }',
      want: 'hygon.memoryFactor: must be integer',
    },
    {
      name: 'refuses a wrong type in a list, with its place',
      text: 'vnpus: { configs: [{ commonWord: Ascend910X, memoryAllocatable: 1Gi }] }',
      want: 'vnpus.configs.0.memoryAllocatable: must be integer',
    },
    { name: 'refuses an empty file', text: '', want: 'is empty' },
    { name: 'refuses a file of comments', text: '# nothing\n---\n# more\n', want: 'is empty' },
    {
      name: 'refuses blocks without a value in them',
      text: 'nvidia: {}\namd:\nvnpus: [{}]\n',
      want: 'is empty',
    },
    { name: 'refuses a file that is a list', text: '- nvidia', want: 'is not a mapping' },
    { name: 'refuses what is no YAML', text: 'nvidia: {', want: 'is not YAML' },
  ];
  it.each(refused)('$name', ({ text, want }) => {
    const answer = parseHamiDeviceConfig(text);
    expect(answer).toMatchObject({ ok: false, problem: expect.stringContaining(want) as unknown });
  });

  it('names every fault', () => {
    const answer = parseHamiDeviceConfig(
      'nvidia: { a: 1, defaultCores: x, overwriteEnv: 1, memoryFactor: [], deviceSplitCount: {} }',
    );
    expect(answer.ok ? 0 : answer.problem.split('; ').length).toBe(4);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `nvidia: ${json}`),
          fc.json().map((json) => `vnpus: ${json}\nhygon: ${json}`),
        ),
        (text) => {
          expect(typeof parseHamiDeviceConfig(text).ok).toBe('boolean');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a whole file of HAMi's chart", () => {
  const blocksOfOthers = [
    'enflame',
    'mthreads',
    'iluvatars',
    'kunlun',
    'awsneuron',
    'vastai',
    'biren',
  ].filter((block) => !(block in vendorFamilies));

  it('names the chips that are the defaults', () => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: wholeFile } });
    expect(answer.ok ? answer.value.config.vendors.vnpus.configs : []).toEqual(
      defaults().vendors.vnpus.configs,
    );
  });

  it('is taken as it is, and blocks that are not ours are named', () => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: wholeFile } });
    if (!answer.ok) throw new Error(answer.problem);
    const { config, warnings } = answer.value;
    expect(warnings).toEqual(
      blocksOfOthers.length === 0
        ? []
        : [`${wholeFile}: blocks that are not read: ${blocksOfOthers.join(', ')}`],
    );
    const { migProfileAllowlist, knownMigGeometries, ...nvidia } = config.vendors.nvidia;
    expect(migProfileAllowlist).toHaveLength(9);
    expect(knownMigGeometries).toHaveLength(1);
    const { migProfileAllowlist: none, knownMigGeometries: neither, ...want } = defaults().vendors.nvidia;
    expect([none, neither]).toEqual([[], []]);
    // The chart's defaults are ours.
    expect(nvidia).toEqual(want);
  });

  it.each(Object.keys(vendorFamilies))('has the block %s, which switches its vendors on', (block) => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: wholeFile } });
    if (!answer.ok) throw new Error(answer.problem);
    const { vendors } = answer.value.config;
    const alone = Object.entries(vendors).map(([name, own]) => [
      name,
      { ...own, enabled: name === block && own.enabled },
    ]);
    expect(makeVendors({ vendors: Object.fromEntries(alone) as typeof vendors })).not.toEqual([]);
  });

  it.each(Object.entries(vendorFamilies))('has every key of the block %s, and no other', (block, family) => {
    const written = (parseYaml(readFileSync(wholeFile, 'utf8')) as Readonly<Record<string, object>>)[block];
    const ours = new Set(['enabled', 'allocationEntries']);
    const known = Object.keys(family.settings.properties).filter((key) => !ours.has(key));
    expect(Object.keys(written!).sort()).toEqual(known.sort());
  });
});

function defaults() {
  const answer = loadConfig({ environment: {}, flags: {} });
  if (!answer.ok) throw new Error(answer.problem);
  return answer.value.config;
}

describe('deviceConfigFile', () => {
  const deviceConfigFile = write('device-config.yaml', chartFile);

  it('lies under our own file, and that under flags', () => {
    const file = write(
      'own.yaml',
      `deviceConfigFile: ${deviceConfigFile}\nvendors: { nvidia: { defaultCores: 6, memoryFactor: 2 } }\n`,
    );
    const flags = { vendors: { nvidia: { memoryFactor: 3 } } };
    const answer = loadConfig({ file, environment: {}, flags });
    expect(answer).toMatchObject({
      ok: true,
      value: {
        config: {
          vendors: { nvidia: { enabled: true, defaultMemory: 512, defaultCores: 6, memoryFactor: 3 } },
        },
        warnings: [`${deviceConfigFile}: blocks that are not read: acme, others`],
      },
    });
  });

  it('is found in the environment', () => {
    const answer = loadConfig({ environment: { TESSERA_DEVICE_CONFIG_FILE: deviceConfigFile }, flags: {} });
    expect(answer).toMatchObject({
      ok: true,
      value: { config: { vendors: { nvidia: { deviceSplitCount: 7 } } } },
    });
  });

  it('is judged together with our own keys', () => {
    const faulty = write('faulty.yaml', 'nvidia: { defaultCores: x }');
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: faulty, nodePolicy: 'x' } });
    expect(answer.ok ? '' : answer.problem).toBe(
      `${faulty}: nvidia.defaultCores: must be integer; nodePolicy: must be one of binpack, spread, fragmentation`,
    );
  });

  const deviceFile = write('families.yaml', 'hygon: { resourceCountName: example.com/dcu }\namd: {}\n');

  it('switches families, and our own file has the last word', () => {
    const vendors = { hygon: { enabled: false }, cambricon: { enabled: true } };
    const file = write('switches.yaml', JSON.stringify({ deviceConfigFile: deviceFile, vendors }));
    const byDevice = loadConfig({ environment: {}, flags: { deviceConfigFile: deviceFile } });
    expect(byDevice).toMatchObject({
      ok: true,
      value: {
        config: {
          vendors: {
            hygon: { enabled: true, resourceCountName: 'example.com/dcu', resourceMemoryName: '' },
            amd: { enabled: true, resourceCountName: '' },
            cambricon: { enabled: false },
          },
        },
      },
    });
    expect(loadConfig({ file, environment: {}, flags: {} })).toMatchObject({
      ok: true,
      value: {
        config: {
          vendors: {
            hygon: { enabled: false },
            amd: { enabled: true },
            cambricon: { enabled: true, resourceCountName: 'cambricon.com/vmlu' },
          },
        },
      },
    });
  });

  it('has the last word on what a command assumes of a family that it does not have', () => {
    const assumed = { vendors: { cambricon: { enabled: true }, hygon: { enabled: true, memoryFactor: 3 } } };
    const flags = { deviceConfigFile: deviceFile };
    const answer = loadConfig({ environment: {}, flags, assumed });
    expect(answer).toMatchObject({
      ok: true,
      value: { config: { vendors: { cambricon: { enabled: false }, hygon: { memoryFactor: 3 } } } },
    });
  });

  it('contradicting our own names is a fault', () => {
    const flags = { deviceConfigFile, vendors: { nvidia: { resourceCoreName: 'example.com/gpumem' } } };
    const answer = loadConfig({ environment: {}, flags });
    expect(answer.ok ? '' : answer.problem).toContain(
      'vendors.nvidia.resourceCoreName: example.com/gpumem is also vendors.nvidia.resourceMemoryName',
    );
  });

  it('stops the start when it is missing', () => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: '/nowhere/device.yaml' } });
    expect(answer.ok ? '' : answer.problem).toMatch(/^\/nowhere\/device.yaml: cannot be read: ENOENT/);
  });
});
