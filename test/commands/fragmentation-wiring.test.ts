import { describe, expect, it } from '@jest/globals';
import {
  keepFresh,
  keepsWorkload,
  makeFragmentation,
  readKeptWorkload,
  workloadText,
} from '../../src/commands/fragmentation-wiring.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeRecordingLog } from '../http/served-app.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makePodRequest } from '../support/requests.ts';

const small = makePodRequest({ containers: [{ memoryMiB: 1024 }] });

function configOf(flags: Readonly<Record<string, unknown>> = {}): TesseraConfig {
  const loaded = loadConfig({ environment: {}, flags });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}

function setUp({
  kept,
  config = configOf(),
}: { readonly kept?: string; readonly config?: TesseraConfig } = {}) {
  const { log, lines } = makeRecordingLog();
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  const made = makeFragmentation({ config, vendors: nvidiaVendors, state: () => state, kept, log });
  return { ...made, state, lines };
}

function keptPods(count: number): string {
  const { policy, onRequested } = setUp();
  for (let pods = 0; pods < count; pods += 1) onRequested(small);
  return workloadText(policy);
}

describe('what is learnt', () => {
  it('is the pods that are there at start, where nothing was kept', () => {
    const { policy, onRequested } = setUp();
    onRequested(small);
    expect(policy.mix.noted).toBe(1);
  });

  it('is what was kept, and the pods that come after the start', () => {
    const kept = keptPods(3);
    const { policy, onRequested, state, lines } = setUp({ kept });
    onRequested(small);
    expect(workloadText(policy)).toBe(kept);
    state.markSynced();
    onRequested(small);
    expect(policy.mix.noted).toBe(1);
    expect(workloadText(policy)).not.toBe(kept);
    expect(lines).toEqual([]);
  });

  it.each([
    { name: 'no JSON', kept: 'nonsense' },
    { name: 'empty', kept: '' },
    { name: 'something else', kept: '{"apples": 3}' },
  ])('is learnt anew where what was kept is $name, and somebody is told', ({ kept }) => {
    const { policy, onRequested, lines } = setUp({ kept });
    onRequested(small);
    expect(policy.mix.noted).toBe(1);
    expect(lines).toMatchObject([{ level: 'warn', fields: { configMap: 'tessera-workload' } }]);
  });

  it('counts half as much after as many pods as are configured', () => {
    const config = configOf({ fragmentation: { halfLifePods: 30 } });
    const { policy, onRequested } = setUp({ config });
    const large = makePodRequest({ containers: [{ memoryMiB: 8192 }] });
    onRequested(small);
    for (let pods = 0; pods < 30; pods += 1) onRequested(large);
    const weights = policy.classes().map(({ weight }) => weight);
    expect(Math.min(...weights)).toBeCloseTo(0.5, 6);
  });
});

describe('the workload', () => {
  it.each([
    { name: 'where nodes are chosen by it', flags: { nodePolicy: 'fragmentation' }, want: true },
    { name: 'not where they are not', flags: {}, want: false },
    {
      name: 'not where it is given',
      flags: { nodePolicy: 'fragmentation', fragmentation: { workload: [{}] } },
      want: false,
    },
  ])('is kept $name', async ({ flags, want }) => {
    const config = configOf(flags);
    expect(keepsWorkload(config)).toBe(want);
    const asked: string[] = [];
    const client = {
      request: ({ path }: { readonly path: string }) => {
        asked.push(path);
        return Promise.resolve({ kind: 'status', status: 403, reason: 'Forbidden', message: 'no' } as const);
      },
    };
    const { log, lines } = makeRecordingLog();
    expect(await readKeptWorkload({ config, client, namespace: 'ours', log })).toBeUndefined();
    expect(asked).toEqual(want ? ['/api/v1/namespaces/ours/configmaps/tessera-workload'] : []);
    expect(lines).toHaveLength(want ? 1 : 0);
  });
});

describe('looking again', () => {
  it('is done every so many seconds until it is ended', () => {
    const clock = new ManualClock();
    const { policy, onRequested } = setUp();
    for (let pods = 0; pods < 100; pods += 1) onRequested(small);
    const end = keepFresh(policy, { clock, refreshSeconds: 60 });
    const before = policy.scoring;
    for (let pods = 0; pods < 100; pods += 1)
      onRequested(makePodRequest({ containers: [{ memoryMiB: 8192 }] }));
    clock.advance(59_999);
    expect(policy.scoring).toBe(before);
    clock.advance(1);
    expect(policy.scoring).not.toBe(before);
    end();
    expect(clock.pending).toBe(0);
  });
});
