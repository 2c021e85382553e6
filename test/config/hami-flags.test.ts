/** The command line of HAMi's scheduler as settings of ours. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hamiFlags } from '../../src/config/hami-flag-table.ts';
import { type HamiCommandLine, readHamiFlags } from '../../src/config/hami-flags.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { chartArguments } from './hami-chart-arguments.ts';
import { makeTemporaryFiles } from './temporary-files.ts';

const write = makeTemporaryFiles();

function read(args: readonly string[], environment = {}): HamiCommandLine {
  const line = readHamiFlags(args, environment);
  if (!line.ok) throw new Error(line.problem);
  return line.value;
}

function load(args: readonly string[], environment = {}): LoadedConfig {
  const { flags, assumed } = read(args, environment);
  const loaded = loadConfig({ environment, flags, assumed });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value;
}

describe("HAMi's own defaults", () => {
  it('hold where nothing is given', () => {
    expect(load([]).config).toMatchObject({
      listen: '127.0.0.1:8080',
      listenExtender: '',
      listenMetrics: ':9395',
      schedulerNames: ['default-scheduler'],
      nodePolicy: 'binpack',
      devicePolicy: 'spread',
      forceOverwriteDefaultScheduler: true,
      leaderElection: { enabled: false, mode: 'follow', resourceName: '', resourceNamespace: '' },
      hamiMetrics: 'current',
      nodeLockExpirySeconds: 300,
      deviceConfigFile: '',
      filterAnswer: 'best',
      seal: 'process',
    });
    expect(read([])).toMatchObject({ plainHttp: true, warnings: [] });
  });

  it('give way to our variables, and those to flags', () => {
    const environment = { TESSERA_FILTER_ANSWER: 'all', TESSERA_NODE_POLICY: 'spread', TESSERA_LISTEN: ':1' };
    expect(load(['--node-scheduler-policy=binpack'], environment).config).toMatchObject({
      filterAnswer: 'all',
      nodePolicy: 'binpack',
      listen: ':1',
    });
  });
});

describe("the arguments of HAMi's chart", () => {
  it('become settings; what has no meaning here gets one warning each', () => {
    const { flags, plainHttp, warnings } = read(chartArguments({ extraArgs: ['--debug', '-v=4'] }));
    expect(flags).toEqual({
      vendors: { vnpus: { enabled: false } },
      listen: '0.0.0.0:443',
      tls: { certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' },
      schedulerNames: ['hami-scheduler'],
      listenMetrics: ':9395',
      nodePolicy: 'binpack',
      devicePolicy: 'spread',
      forceOverwriteDefaultScheduler: true,
      deviceConfigFile: '/device-config.yaml',
      leaderElection: {
        enabled: true,
        resourceName: 'hami-scheduler',
        resourceNamespace: 'kube-system',
      },
    });
    expect(plainHttp).toBe(false);
    expect(warnings).toEqual([
      '--debug: Not carried over: TESSERA_LOG_LEVEL says what is logged, as JSON on stdout.',
      '--v: Not carried over: TESSERA_LOG_LEVEL says what is logged, as JSON on stdout.',
    ]);
  });
});

describe('readHamiFlags', () => {
  const spellings = [
    { name: 'a value behind =', args: ['--http_bind=:80'] },
    { name: 'a value as the next word', args: ['--http_bind', ':80'] },
    { name: 'one dash', args: ['-http_bind=:80'] },
    { name: 'one dash and the next word', args: ['-http_bind', ':80'] },
    { name: 'dashes for underscores', args: ['--http-bind=:80'] },
    { name: 'the last of two', args: ['--http_bind=:81', '--http_bind=:80'] },
  ];
  it.each(spellings)('takes $name', ({ args }) => {
    expect(read(args)).toMatchObject({ flags: { listen: ':80' }, warnings: [] });
  });

  const settings = [
    { args: ['--leader-elect'], want: { leaderElection: { enabled: true } } },
    { args: ['--leader-elect=false'], want: { leaderElection: { enabled: false } } },
    { args: ['-leader-elect=T'], want: { leaderElection: { enabled: true } } },
    { args: ['--legacy-metrics'], want: { hamiMetrics: 'both' } },
    { args: ['--legacy-metrics=false'], want: { hamiMetrics: 'current' } },
    {
      args: ['--force-overwrite-default-scheduler=0', '--scheduler-name=a'],
      want: { forceOverwriteDefaultScheduler: false },
    },
    { args: ['--metrics-bind-address='], want: { listenMetrics: '' } },
    { args: ['--gpu-scheduler-policy=numa, topology-aware'], want: { devicePolicy: 'numa,topology-aware' } },
    { args: ['--node-label-selector=gpu=on,zone=a'], want: { nodeLabelSelector: 'gpu=on,zone=a' } },
    {
      args: ['--node-label-selector=gpu=on', '--node-label-selector', 'zone=a'],
      want: { nodeLabelSelector: 'gpu=on,zone=a' },
    },
    { args: ['--node-lock-timeout=90s'], want: { nodeLockExpirySeconds: 90 } },
    { args: ['--node-lock-timeout=10ms'], want: { nodeLockExpirySeconds: 1 } },
    { args: ['--device-config-file='], want: { deviceConfigFile: '' } },
  ];
  it.each(settings)('reads $args', ({ args, want }) => {
    expect(read(args)).toMatchObject({ flags: want, warnings: [] });
    expect(load(args).config).toMatchObject(want);
  });

  it('serves the default scheduler where no name is given, and says what that rules out', () => {
    expect(load(['--scheduler-name=']).config.schedulerNames).toEqual(['default-scheduler']);
    expect(read(['--force-overwrite-default-scheduler=false']).warnings).toEqual([
      expect.stringContaining('has no effect without --scheduler-name'),
    ]);
  });

  it.each([
    { name: 'neither file', args: [], wantPlain: true, wantWarnings: 0 },
    { name: 'empty names', args: ['--cert_file=', '--key_file='], wantPlain: true, wantWarnings: 0 },
    { name: 'one of two', args: ['--cert_file=/a'], wantPlain: true, wantWarnings: 1 },
    { name: 'both', args: ['--cert_file=/a', '--key_file=/b'], wantPlain: false, wantWarnings: 0 },
  ])('is plain HTTP without a certificate and a key: $name', ({ args, wantPlain, wantWarnings }) => {
    const { plainHttp, warnings } = read(args);
    expect({ plainHttp, warnings: warnings.length }).toEqual({
      plainHttp: wantPlain,
      warnings: wantWarnings,
    });
    expect(load(args).config.tls.certFile).toBe(wantPlain ? '' : '/a');
  });

  it('puts the resource names of older charts below the device configuration', () => {
    const args = [
      '--resource-name=example.com/vgpu',
      '--default-mem=5',
      '--default-gpu',
      '-1',
      '--overwrite-env',
    ];
    expect(read(args)).toMatchObject({
      flags: {},
      assumed: {
        vendors: {
          nvidia: {
            resourceCountName: 'example.com/vgpu',
            defaultMemory: 5,
            defaultGPUNum: -1,
            overwriteEnv: true,
          },
        },
      },
      warnings: [],
    });
  });

  it('puts the resource names of other families there, too, with the family switched on', () => {
    const args = ['--dcu-name=example.com/dcu', '--dcu-memory', 'example.com/dcu-memory'];
    expect(read(args)).toMatchObject({ warnings: [] });
    expect(load(args).config.vendors.hygon).toMatchObject({
      enabled: true,
      resourceCountName: 'example.com/dcu',
      resourceMemoryName: 'example.com/dcu-memory',
      resourceCoreName: 'hygon.com/dcucores',
    });
    expect(load([]).config.vendors.hygon.enabled).toBe(false);
    // What names no resource says nothing of which cards there are.
    expect(load(['--sgpu-topology-aware']).config.vendors.metax).toMatchObject({
      enabled: false,
      sgpuTopologyAware: true,
    });
  });

  const withChips = write(
    'vnpus.yaml',
    'vnpus: { configs: [{ commonWord: Ascend910X, resourceName: example.com/npu, memoryAllocatable: 1024 }] }',
  );
  it.each([
    { args: [], want: false },
    { args: ['--enable-ascend'], want: true },
    { args: ['--enable-ascend=true'], want: true },
    { args: ['--enable-ascend=false'], want: false },
  ])('leaves the block vnpus alone without --enable-ascend: $args', ({ args, want }) => {
    const { vendors } = load([...args, `--device-config-file=${withChips}`]).config;
    expect(vendors.vnpus).toMatchObject({ enabled: want, configs: [{ commonWord: 'Ascend910X' }] });
  });

  it('has no chips for --enable-ascend without a device configuration', () => {
    expect(load(['--enable-ascend']).config.vendors.vnpus.enabled).toBe(false);
  });

  const warned = [
    { name: 'an unknown flag', args: ['--refit=1'], want: '--refit=1: unknown flag, ignored' },
    {
      name: 'an unknown flag with the next word',
      args: ['--refit', 'on', '--leader-elect'],
      want: '--refit on: unknown flag, ignored',
    },
    {
      name: 'an unknown switch',
      args: ['--refit', '--leader-elect'],
      want: '--refit: unknown flag, ignored',
    },
    { name: 'a level of klog without =', args: ['-v4'], want: '--v: Not carried over' },
    { name: 'a level of klog as the next word', args: ['-v', '4'], want: '--v: Not carried over' },
    { name: 'a flag of klog', args: ['--skip_headers'], want: '--skip_headers: Not carried over' },
    { name: 'a rate', args: ['--kube-qps=50.5'], want: '--kube-qps: Not needed' },
    { name: 'another vendor', args: ['--mthreads-name=a'], want: '--mthreads-name: Not carried over' },
    {
      name: 'a policy that is none',
      args: ['--node-scheduler-policy=best'],
      want: '--node-scheduler-policy: "best" is no policy for nodes and means binpack',
    },
    {
      name: 'words of a chain that are none',
      args: ['--gpu-scheduler-policy=a,numa'],
      want: '--gpu-scheduler-policy: "a" is no policy for cards; numa applies',
    },
  ];
  it.each(warned)('warns once and goes on for $name', ({ args, want }) => {
    expect(read(args).warnings).toEqual([expect.stringContaining(want)]);
    expect(load(args).config.logLevel).toBe('info');
  });

  it('says nothing of a switch that is off', () => {
    expect(read(['--debug=false', '--enable-iluvatar=F', '--profiling=0']).warnings).toEqual([]);
  });

  const refused = [
    { args: ['--leader-elect=maybe'], want: '--leader-elect: "maybe" is neither true nor false' },
    { args: ['--leader-elect', 'false'], want: '"false" belongs to no flag; a switch has its value after =' },
    { args: ['--http_bind=443'], want: '--http_bind: "443" is not an address to listen on' },
    { args: ['--metrics-bind-address=9395'], want: '--metrics-bind-address: "9395" is not an address' },
    { args: ['--http_bind'], want: '--http_bind: needs a value' },
    { args: ['--scheduler-name=A b'], want: '--scheduler-name: "A b" is not a scheduler name' },
    {
      args: ['--node-label-selector=gpu'],
      want: '--node-label-selector: "gpu" is not a comma list of label=value',
    },
    { args: ['--node-lock-timeout=5'], want: '--node-lock-timeout: "5" is not a duration' },
    { args: ['--node-lock-timeout=0s'], want: '--node-lock-timeout: "0s" is not more than 0' },
    { args: ['--default-mem=16Gi'], want: '--default-mem: "16Gi" is not a whole number' },
    { args: ['serve'], want: '"serve" belongs to no flag' },
    { args: ['--', '--leader-elect'], want: '"--leader-elect" belongs to no flag' },
  ];
  it.each(refused)('refuses $args with a sentence', ({ args, want }) => {
    expect(readHamiFlags(args, {})).toMatchObject({ ok: false, problem: expect.stringContaining(want) });
  });

  it('names every fault', () => {
    const answer = readHamiFlags(['--http_bind=x', '--leader-elect=x', 'x'], {});
    const problem = answer.ok ? '' : answer.problem;
    for (const fault of ['--http_bind: "x"', '--leader-elect: "x"', '"x" belongs'])
      expect(problem).toContain(fault);
  });

  it('never throws, and never lets an unknown flag stop it', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...hamiFlags.map(({ flag }) => `--${flag}`)));
    fc.assert(
      fc.property(fc.array(word), (args) => {
        expect(typeof readHamiFlags(args, {}).ok).toBe('boolean');
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{3,20}$/), fc.string(), (name, value) => {
        fc.pre(!hamiFlags.some(({ flag }) => flag === name));
        expect(read([`--${name}=${value}`]).warnings).toHaveLength(1);
      }),
    );
  });
});

describe('Q15: HAMI_NODELOCK_EXPIRE and --node-lock-timeout', () => {
  const environment = { HAMI_NODELOCK_EXPIRE: '2m' };
  it.each([
    { name: 'the variable counts where no flag is given', args: [], want: 120 },
    { name: 'the flag wins when given', args: ['--node-lock-timeout=7m'], want: 420 },
    { name: 'the flag wins with its default, too', args: ['--node-lock-timeout=5m'], want: 300 },
  ])('$name', ({ args, want }) => {
    expect(load(args, environment).config.nodeLockExpirySeconds).toBe(want);
  });

  it('a variable that is no duration is ignored with a warning', () => {
    const strange = { HAMI_NODELOCK_EXPIRE: 'soon' };
    expect(read([], strange).warnings).toEqual([
      expect.stringContaining('HAMI_NODELOCK_EXPIRE: "soon" is not'),
    ]);
    expect(load([], strange).config.nodeLockExpirySeconds).toBe(300);
  });
});
