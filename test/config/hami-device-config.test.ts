import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseHamiDeviceConfig } from '../../src/config/hami-device-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeTemporaryFiles } from './temporary-files.ts';

const write = makeTemporaryFiles();

const wholeFile = fileURLToPath(new URL('device-config.yaml', import.meta.url));

/** The keys of spec §3.2 in the manner of the chart: other vendors beside, a number for the log level. */
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
cambricon:
  resourceCountName: example.com/mlu
vnpus: []
`;

describe('parseHamiDeviceConfig', () => {
  it('takes every key of the nvidia block', () => {
    expect(parseHamiDeviceConfig(chartFile)).toEqual({
      ok: true,
      value: {
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
        warnings: ['blocks that are not read: cambricon, vnpus'],
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
      text: '# chart\n---\nmetax: {}\n---\nnvidia: { defaultCores: 1 }\n---\nnvidia: { defaultCores: 2 }\n',
      want: {
        nvidia: { defaultCores: 1 },
        warnings: [
          'blocks that are not read: metax',
          'has more than one nvidia block; only the first is read',
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
      text: 'amd: { resourceCountName: amd.com/gpu }',
      want: {
        nvidia: {},
        warnings: ['has no nvidia block; the defaults apply', 'blocks that are not read: amd'],
      },
    },
    {
      name: 'warns of an empty nvidia block beside another',
      text: 'nvidia:\namd: { resourceCountName: amd.com/gpu }',
      want: {
        nvidia: {},
        warnings: ['has no nvidia block; the defaults apply', 'blocks that are not read: amd'],
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
  it.each(accepted)('$name', ({ text, want }) => {
    expect(parseHamiDeviceConfig(text)).toEqual({ ok: true, value: want });
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
  it('is taken as it is, and the blocks of other vendors are named', () => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: wholeFile } });
    if (!answer.ok) throw new Error(answer.problem);
    const { config, warnings } = answer.value;
    expect(warnings).toEqual([
      `${wholeFile}: blocks that are not read: cambricon, hygon, metax, enflame, mthreads, iluvatars, kunlun, awsneuron, amd, vastai, biren, vnpus`,
    ]);
    const { migProfileAllowlist, knownMigGeometries, ...nvidia } = config.vendors.nvidia;
    expect(migProfileAllowlist).toHaveLength(9);
    expect(knownMigGeometries).toHaveLength(1);
    const { migProfileAllowlist: none, knownMigGeometries: neither, ...want } = defaults().vendors.nvidia;
    expect([none, neither]).toEqual([[], []]);
    // The chart's defaults are ours.
    expect(nvidia).toEqual(want);
  });

  it('has every key that we know of, and no other', () => {
    const parsed = parseHamiDeviceConfig(readFileSync(wholeFile, 'utf8'));
    const known = Object.keys(defaults().vendors.nvidia).filter(
      (key) => key !== 'enabled' && key !== 'allocationEntries',
    );
    expect(parsed.ok ? Object.keys(parsed.value.nvidia).sort() : []).toEqual(known.sort());
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
        warnings: [`${deviceConfigFile}: blocks that are not read: cambricon, vnpus`],
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
      `${faulty}: nvidia.defaultCores: must be integer; nodePolicy: must be one of binpack, spread`,
    );
  });

  it('contradicting our own names is a fault', () => {
    const flags = { deviceConfigFile, vendors: { nvidia: { resourceCoreName: 'example.com/gpumem' } } };
    const answer = loadConfig({ environment: {}, flags });
    expect(answer.ok ? '' : answer.problem).toContain(
      'resourceCoreName: example.com/gpumem is also the resourceMemoryName',
    );
  });

  it('stops the start when it is missing', () => {
    const answer = loadConfig({ environment: {}, flags: { deviceConfigFile: '/nowhere/device.yaml' } });
    expect(answer.ok ? '' : answer.problem).toMatch(/^\/nowhere\/device.yaml: cannot be read: ENOENT/);
  });
});
