import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TesseraConfig } from '../../src/config/config.ts';
import { type ConfigSources, loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { defaultVendorsConfig } from '../vendors/default-config.ts';
import { makeTemporaryFiles } from './temporary-files.ts';

const write = makeTemporaryFiles();

function loaded(sources: Partial<ConfigSources>): LoadedConfig {
  const answer = loadConfig({ environment: {}, flags: {}, ...sources });
  if (!answer.ok) throw new Error(answer.problem);
  return answer.value;
}

function problemOf(sources: Partial<ConfigSources>): string {
  const answer = loadConfig({ environment: {}, flags: {}, ...sources });
  if (answer.ok) throw new Error('loaded');
  return answer.problem;
}

describe('the defaults', () => {
  it('are complete and raise no warning', () => {
    const want: TesseraConfig = {
      listen: '0.0.0.0:8443',
      listenExtender: '127.0.0.1:8888',
      listenMetrics: '0.0.0.0:9395',
      schedulerNames: ['tessera-scheduler'],
      forceOverwriteDefaultScheduler: true,
      nodePolicy: 'binpack',
      devicePolicy: 'spread',
      fragmentation: { workload: [], halfLifePods: 2000, refreshSeconds: 60 },
      hamiReasonCounters: false,
      filterAnswer: 'all',
      preemptVerb: false,
      hamiMetrics: 'current',
      bodyLimitMiB: 64,
      extenderTimeoutSeconds: 30,
      filterDeadlineMs: 1000,
      prioritizeDeadlineMs: 1000,
      keepAliveSeconds: 100,
      shutdownDelaySeconds: 0,
      shutdownGraceSeconds: 5,
      logLevel: 'info',
      nodeLabelSelector: '',
      nodeLockExpirySeconds: 300,
      auditSeconds: 300,
      seal: 'secret',
      leaderElection: { enabled: false, mode: 'follow', resourceName: '', resourceNamespace: '' },
      tls: { certFile: '', keyFile: '', names: [], clientCaFile: '', secret: '', webhookConfigurations: [] },
      deviceConfigFile: '',
      vendors: {
        ...defaultVendorsConfig(),
        nvidia: {
          enabled: true,
          resourceCountName: 'nvidia.com/gpu',
          resourceMemoryName: 'nvidia.com/gpumem',
          resourceMemoryPercentageName: 'nvidia.com/gpumem-percentage',
          resourceCoreName: 'nvidia.com/gpucores',
          resourcePriorityName: 'nvidia.com/priority',
          overwriteEnv: false,
          defaultMemory: 0,
          defaultCores: 0,
          defaultGPUNum: 1,
          memoryFactor: 1,
          gpuCorePolicy: 'default',
          runtimeClassName: '',
          allocationEntries: 'auto',
          disableCoreLimit: false,
          deviceSplitCount: 10,
          deviceMemoryScaling: 1,
          deviceCoreScaling: 1,
          preConfiguredDeviceMemory: 0,
          libCudaLogLevel: '1',
          enableNumaTopology: false,
          migProfileAllowlist: [],
          knownMigGeometries: [],
        },
      },
    };
    expect(loaded({})).toEqual({ config: want, warnings: [] });
  });

  it('share NVIDIA cards alone', () => {
    const enabled = Object.entries(loaded({}).config.vendors).filter(([, block]) => block.enabled);
    expect(enabled.map(([name]) => name)).toEqual(['nvidia']);
  });

  it('apply to a file that is empty, or only comments', () => {
    expect(loaded({ file: write('empty.yaml', '') })).toEqual(loaded({}));
    expect(loaded({ file: write('comment.yaml', '# nothing yet\n') })).toEqual(loaded({}));
  });

  it('are not shared between two configurations', () => {
    expect(loaded({}).config.schedulerNames).not.toBe(loaded({}).config.schedulerNames);
  });
});

describe('precedence', () => {
  const file = write('levels.yaml', 'logLevel: warn\nbodyLimitMiB: 3\nnodePolicy: spread\n');

  it('puts what the command assumes under everything but the defaults', () => {
    const assumed = {
      logLevel: 'error',
      bodyLimitMiB: 9,
      vendors: { nvidia: { defaultCores: 9, memoryFactor: 9 } },
    };
    const device = write('assumed-device.yaml', 'nvidia: { defaultCores: 1 }');
    const flags = { deviceConfigFile: device };
    expect(loaded({ file, environment: { TESSERA_SEAL: 'process' }, flags, assumed }).config).toMatchObject({
      logLevel: 'warn',
      bodyLimitMiB: 3,
      seal: 'process',
      vendors: { nvidia: { defaultCores: 1, memoryFactor: 9, defaultGPUNum: 1 } },
    });
  });

  it('puts flags over environment over file over defaults', () => {
    const environment = { TESSERA_LOG_LEVEL: 'error', TESSERA_BODY_LIMIT_MIB: '4', UNRELATED: 'x' };
    const { config, warnings } = loaded({ file, environment, flags: { logLevel: 'debug' } });
    expect(config).toMatchObject({
      logLevel: 'debug',
      bodyLimitMiB: 4,
      nodePolicy: 'spread',
      filterDeadlineMs: 1000,
    });
    expect(warnings).toEqual([]);
  });

  it('takes a flag that is undefined for one not given', () => {
    expect(loaded({ file, flags: { logLevel: undefined } }).config.logLevel).toBe('warn');
  });

  it('joins nested keys and replaces lists', () => {
    const nested = write('nested.json', JSON.stringify({ tls: { names: ['a', 'b'], secret: 's' } }));
    const { tls } = loaded({ file: nested, flags: { tls: { names: ['c'] } } }).config;
    expect(tls).toMatchObject({ certFile: '', names: ['c'], secret: 's' });
  });

  it('lets the environment switch a server off', () => {
    expect(loaded({ environment: { TESSERA_LISTEN_METRICS: '' } }).config.listenMetrics).toBe('');
  });

  it('reads flags that are texts at every depth as the schema wants them', () => {
    const flags = {
      filterDeadlineMs: '250',
      hamiReasonCounters: 'true',
      schedulerNames: 'one, two',
      vendors: { nvidia: { deviceMemoryScaling: '1.5', libCudaLogLevel: '3' } },
    };
    expect(loaded({ flags }).config).toMatchObject({
      filterDeadlineMs: 250,
      hamiReasonCounters: true,
      schedulerNames: ['one', 'two'],
      vendors: { nvidia: { deviceMemoryScaling: 1.5, libCudaLogLevel: '3' } },
    });
  });
});

describe('the environment', () => {
  it('is warned about where a variable looks like a setting and is none', () => {
    const { warnings } = loaded({ environment: { TESSERA_LOG_LEVLE: 'debug', TESSERA_TLS: '{}' } });
    expect(warnings).toEqual([
      'environment variable TESSERA_LOG_LEVLE: no such setting, ignored',
      'environment variable TESSERA_TLS: no such setting, ignored',
    ]);
  });

  it('may hold what Kubernetes sets for a Service named tessera', () => {
    const environment = {
      TESSERA_SERVICE_HOST: '10.0.0.1',
      TESSERA_SERVICE_PORT: '443',
      TESSERA_SERVICE_PORT_HTTPS: '443',
      TESSERA_PORT: 'tcp://10.0.0.1:443',
      TESSERA_PORT_443_TCP_ADDR: '10.0.0.1',
    };
    expect(loaded({ environment })).toEqual(loaded({}));
  });
});

describe('faults', () => {
  const inFlags = [
    {
      name: 'an unknown key is one',
      flags: { nodePolicies: 'spread' },
      want: ['unknown key "nodePolicies"'],
    },
    {
      name: 'an unknown nested key is one',
      flags: { vendors: { nvidia: { memoryFacter: 2 } } },
      want: ['vendors.nvidia: unknown key "memoryFacter"'],
    },
    {
      name: 'a wrong choice is one',
      flags: { nodePolicy: 'pack' },
      want: ['nodePolicy: must be one of binpack, spread, fragmentation'],
    },
    {
      name: 'a number in words is one',
      flags: { bodyLimitMiB: 'ten' },
      want: ['bodyLimitMiB: must be integer'],
    },
    {
      name: 'an empty number is one, not 0',
      flags: { shutdownGraceSeconds: '' },
      want: ['shutdownGraceSeconds: must be integer'],
    },
    {
      name: 'a fraction of a MiB is one',
      flags: { bodyLimitMiB: '1.5' },
      want: ['bodyLimitMiB: must be integer'],
    },
    {
      name: 'a switch in other words is one',
      flags: { hamiReasonCounters: 'yes' },
      want: ['hamiReasonCounters: must be boolean'],
    },
    {
      name: 'a time-out without room for a Binding is one',
      flags: { extenderTimeoutSeconds: 5 },
      want: ['extenderTimeoutSeconds: must be >= 6'],
    },
    {
      name: 'no scheduler name is one',
      flags: { schedulerNames: [] },
      want: ['schedulerNames: must NOT have fewer than 1'],
    },
    {
      name: 'an unknown device policy is one',
      flags: { devicePolicy: 'spread,mutes' },
      want: ['devicePolicy: must match pattern'],
    },
    {
      name: 'a bad address is one',
      flags: { listenMetrics: '9395' },
      want: ['listenMetrics: "9395" is not an address'],
    },
    { name: 'no main address is one', flags: { listen: '' }, want: ['listen: must NOT have fewer than 1'] },
    {
      name: 'a section that is no section is one',
      flags: { tls: 'off' },
      want: ['tls: must be object'],
    },
    {
      name: 'a certificate without its key is one',
      flags: { tls: { certFile: 'tls.crt' } },
      want: ['tls.keyFile: is missing'],
    },
    {
      name: 'a key without its certificate is one',
      flags: { tls: { keyFile: 'tls.key' } },
      want: ['tls.certFile: is missing'],
    },
    {
      name: 'a certificate from files and one in a Secret are one',
      flags: { tls: { certFile: 'tls.crt', keyFile: 'tls.key', secret: 'tessera-tls' } },
      want: ['tls.secret: there is tls.certFile already'],
    },
    {
      name: 'a webhook to be told of an authority that nobody keeps is one',
      flags: { tls: { webhookConfigurations: ['tessera'] } },
      want: ['tls.webhookConfigurations: needs tls.secret'],
    },
    {
      name: 'a Secret that no API server would take is one',
      flags: { tls: { secret: 'Tessera_TLS' } },
      want: ['tls.secret: must match pattern'],
    },
    {
      name: 'two servers at one address are one',
      flags: { listen: ':9395' },
      want: ['listenMetrics: 0.0.0.0:9395 is taken by listen (:9395)'],
    },
    {
      name: 'two resources of one name are one',
      flags: { vendors: { nvidia: { resourceCoreName: 'nvidia.com/gpumem' } } },
      want: [
        'vendors.nvidia.resourceCoreName: nvidia.com/gpumem is also vendors.nvidia.resourceMemoryName; every resource needs its own name',
      ],
    },
    {
      name: 'resources of two families with one name are one',
      flags: {
        vendors: {
          hygon: { enabled: true, resourceMemoryName: 'nvidia.com/gpumem' },
          amd: { enabled: true, resourceCountName: 'hygon.com/dcunum' },
        },
      },
      want: [
        'vendors.hygon.resourceMemoryName: nvidia.com/gpumem is also vendors.nvidia.resourceMemoryName',
        'vendors.amd.resourceCountName: hygon.com/dcunum is also vendors.hygon.resourceCountName',
      ],
    },
    {
      name: 'resources of one name in a list are one, with their places',
      flags: {
        vendors: {
          vnpus: {
            enabled: true,
            configs: [
              { commonWord: 'A', memoryAllocatable: 1, resourceName: 'example.com/a' },
              { commonWord: 'B', memoryAllocatable: 1, resourceName: 'example.com/a' },
            ],
          },
        },
      },
      want: [
        'vendors.vnpus.configs.1.resourceName: example.com/a is also vendors.vnpus.configs.0.resourceName',
      ],
    },
    {
      name: 'a vendor that is called as another is one',
      flags: {
        vendors: {
          vnpus: {
            enabled: true,
            configs: [{ commonWord: 'NVIDIA', memoryAllocatable: 1, resourceName: 'example.com/a' }],
          },
        },
      },
      want: ['vendors: there is more than one vendor "NVIDIA"'],
    },
    {
      name: 'a count resource without a domain is one',
      flags: { vendors: { nvidia: { resourceCountName: 'gpu' } } },
      want: ['vendors.nvidia.resourceCountName: must match pattern'],
    },
    {
      name: 'deadlines past the time-out are one each',
      flags: { extenderTimeoutSeconds: 6, filterDeadlineMs: 6000, prioritizeDeadlineMs: 7000 },
      want: ['filterDeadlineMs: 6000 is not less', 'prioritizeDeadlineMs: 7000 is not less'],
    },
    {
      name: 'a workload of nobody’s cards is one',
      flags: {
        fragmentation: { workload: [{ resource: 'nvidia.com/gpu' }, { resource: 'example.com/card' }] },
      },
      want: ['fragmentation.workload.1.resource: example.com/card counts the cards of no vendor'],
    },
    {
      name: 'a workload that never comes is one',
      flags: { fragmentation: { workload: [{ weight: 0 }] } },
      want: ['fragmentation.workload.0.weight: must be > 0'],
    },
    {
      name: 'a key that a workload does not have is one',
      flags: { fragmentation: { workload: [{ gpus: 1 }] } },
      want: ['fragmentation.workload.0: unknown key "gpus"'],
    },
    {
      name: 'faults of several kinds are named together',
      flags: { nodePolicy: 'x', tls: { names: [''] }, more: 1 },
      want: ['unknown key "more"', 'nodePolicy: must be one of', 'tls.names.0: must NOT have fewer'],
    },
    {
      name: 'a device configuration that is no path is one',
      flags: { deviceConfigFile: 5 },
      want: ['deviceConfigFile: must be string'],
    },
  ];
  it.each(inFlags)('$name', ({ flags, want }) => {
    const problem = problemOf({ flags });
    for (const part of want) expect(problem).toContain(part);
  });

  const inFiles = [
    { name: 'YAML that is none is one', text: 'listen: [', want: 'is not YAML' },
    {
      name: 'a key written twice is one',
      text: 'listen: a:1\nlisten: b:2',
      want: 'is not YAML: Map keys must be unique',
    },
    { name: 'a list is one', text: '- listen', want: 'is not a mapping' },
    {
      name: 'a second document is one',
      text: 'listen: :1\n---\nlisten: :2',
      want: 'more than one YAML document',
    },
    { name: 'an alias to nothing is one', text: 'listen: *x', want: 'is not YAML: Unresolved alias' },
    { name: 'a quoted number is one', text: 'bodyLimitMiB: "64"', want: 'bodyLimitMiB: must be integer' },
    {
      name: 'a key named __proto__ is one',
      text: '__proto__: { listen: x }',
      want: 'unknown key "__proto__"',
    },
    { name: 'a key named toString is one', text: 'toString: 1', want: 'unknown key "toString"' },
    { name: 'a section without a value is one', text: 'tls:', want: 'tls: must be object' },
  ];
  it.each(inFiles)('$name', ({ text, want }) => {
    expect(problemOf({ file: write('faulty.yaml', text) })).toContain(want);
  });

  it('of a missing file name it', () => {
    expect(problemOf({ file: '/nowhere/tessera.yaml' })).toMatch(
      /^\/nowhere\/tessera.yaml: cannot be read: ENOENT/,
    );
  });

  it('are no throw, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const answer = loadConfig({ file: write('any.yaml', text), environment: {}, flags: {} });
        expect(typeof answer.ok).toBe('boolean');
      }),
      { numRuns: 100 },
    );
  });
});

describe('a name that two families have', () => {
  it('is none while one of them is switched off', () => {
    const vendors = { hygon: { resourceMemoryName: 'nvidia.com/gpumem' } };
    expect(loaded({ flags: { vendors } }).config.vendors.hygon.enabled).toBe(false);
  });

  it('is none where it is empty', () => {
    const unnamed = { enabled: true, resourceMemoryName: '', resourceCoreName: '' };
    const vendors = { hygon: unnamed, amd: unnamed };
    expect(loaded({ flags: { vendors } }).config.vendors.amd).toMatchObject(unnamed);
  });
});

describe('the result', () => {
  it('is frozen all the way down', () => {
    const { config } = loaded({ flags: { schedulerNames: ['a'] } });
    const objects: unknown[] = [config];
    for (const object of objects) {
      expect(Object.isFrozen(object)).toBe(true);
      const values: unknown[] = Object.values(object as object);
      objects.push(...values.filter((value) => typeof value === 'object'));
    }
    expect(objects.length).toBeGreaterThan(5);
  });

  it('leaves the sources alone', () => {
    const flags = { tls: { names: ['a'] }, vendors: { nvidia: {} } };
    loaded({ flags });
    expect(flags).toEqual({ tls: { names: ['a'] }, vendors: { nvidia: {} } });
    expect(Object.isFrozen(flags.tls.names)).toBe(false);
  });

  it("warns of connections that end before kube-scheduler's", () => {
    expect(loaded({ flags: { keepAliveSeconds: 90 } }).warnings).toEqual([
      expect.stringMatching(/^keepAliveSeconds: 90 is not more than the 90 s/),
    ]);
    expect(loaded({ flags: { keepAliveSeconds: 91 } }).warnings).toEqual([]);
  });
});
