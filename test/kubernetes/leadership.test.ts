import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReflectorSignal } from '../../src/kubernetes/interruption.ts';
import { Leadership, type Role } from '../../src/kubernetes/leadership.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { Journal } from '../support/journal.ts';
import { EmbeddedApi } from './support/embedded-api.ts';

const namespace = 'default';
const name = 'hami-scheduler';
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const path = `${leases}/${name}`;
const durationMs = 15_000;

let api: EmbeddedApi;
/** Every role that was told, in order. */
let roles: Journal<Role>;
let signals: Journal<ReflectorSignal>;
let leadership: Leadership;
let renewals: number;
let terms: number;

beforeEach(async () => {
  api = await EmbeddedApi.start();
  roles = new Journal();
  signals = new Journal();
  renewals = 0;
  terms = 0;
  leadership = new Leadership({
    client: api.client,
    lease: { namespace, name },
    hostname: 's-1',
    clock: api.clock,
    random: () => 0,
    newTermId: () => `id${(terms += 1)}`,
    log: makeLogger({ level: 'silent' }),
    onRole: (role) => {
      roles.add(role);
    },
    onSignal: (signal) => {
      signals.add(signal);
    },
  });
});

afterEach(async () => {
  await leadership.stop();
  await api.close();
});

/** As kube-scheduler writes it; the holder's clock is years behind, and every write has a time of its own. */
function recordOf(holderIdentity: string): object {
  renewals += 1;
  const renewTime = new Date(Date.UTC(2001, 0, 1) + renewals * 2000).toISOString().replace('Z', '000Z');
  return { spec: { holderIdentity, leaseDurationSeconds: durationMs / 1000, renewTime } };
}

/** Resolves when the watch has brought what `write` does. */
async function seen(write: () => Promise<unknown>): Promise<void> {
  const before = api.lines.entries.length;
  await write();
  await api.lines.atLeast(before + 1);
}

const create = (holder: string) => api.send('POST', leases, { metadata: { name }, ...recordOf(holder) });
const renew = (holder: string) => api.send('PATCH', path, recordOf(holder));

/** Starts and waits until what is stored was listed. */
async function listed(): Promise<void> {
  leadership.start();
  await signals.atLeast(1);
}

async function leading(): Promise<void> {
  await listed();
  await seen(() => create('s-1_a'));
  expect(roles.entries).toEqual(['follower', 'leader']);
}

describe('who leads', () => {
  it.each<{ name: string; holder: string; want: Role }>([
    { name: 'our kube-scheduler holds the lease', holder: 's-1_0b5f', want: 'leader' },
    { name: 'Q21: the holder’s name begins like ours', holder: 's-10_0b5f', want: 'follower' },
    { name: 'ours begins like the holder’s', holder: 's_0b5f', want: 'follower' },
    { name: 'the holder’s name ends like ours', holder: 'x-s-1_0b5f', want: 'follower' },
    { name: 'the holder gives no more than our name', holder: 's-1', want: 'follower' },
    { name: 'the holder is spelt otherwise', holder: 'S-1_0b5f', want: 'follower' },
    { name: 'nobody holds it', holder: '', want: 'follower' },
  ])('is told by the holder: $name', async ({ holder, want }) => {
    await listed();
    await seen(() => create(holder));
    expect(leadership.role).toBe(want);
    expect(roles.entries).toEqual(want === 'leader' ? ['follower', 'leader'] : ['follower']);
  });

  it('is not known before the lease was listed', async () => {
    expect(leadership.role).toBeUndefined();
    await listed();
    expect(leadership.role).toBe('follower');
  });

  it('is told by this lease alone', async () => {
    await listed();
    await api.send('POST', leases, { metadata: { name: 'another' }, ...recordOf('s-1_a') });
    await seen(() => create('s-2_b'));
    expect(api.lines.entries).toHaveLength(1);
    expect(roles.entries).toEqual(['follower']);
  });

  it('changes as the lease changes hands', async () => {
    await leading();
    await seen(() => renew('s-2_b'));
    expect(leadership.role).toBe('follower');
    await seen(() => renew('s-1_a'));
    expect(roles.entries).toEqual(['follower', 'leader', 'follower', 'leader']);
  });

  it('does not change when the holder comes back under another id', async () => {
    await leading();
    api.time.advance(durationMs - 1);
    await seen(() => renew('s-1_b'));
    api.time.advance(durationMs - 1);
    expect(roles.entries).toEqual(['follower', 'leader']);
  });

  it('is nobody once the holder gives the lease up or it is deleted', async () => {
    await leading();
    await seen(() => renew(''));
    expect(leadership.role).toBe('follower');
    await seen(() => renew('s-1_a'));
    await seen(() => api.send('DELETE', path));
    expect(leadership.role).toBe('follower');
    await seen(() => create('s-1_a'));
    expect(leadership.role).toBe('leader');
  });

  it.each([
    { name: 'without a duration', spec: { leaseDurationSeconds: null } },
    { name: 'of no duration', spec: { leaseDurationSeconds: 0 } },
    { name: 'for longer than a day', spec: { leaseDurationSeconds: 86_401 } },
    { name: 'with a holder that is no text', spec: { holderIdentity: 7 } },
  ])('is nobody by a lease $name, until it can be read again', async ({ spec }) => {
    await leading();
    await seen(() => api.send('PATCH', path, { spec }));
    expect(leadership.role).toBe('follower');
    await seen(() => renew('s-1_a'));
    expect(leadership.role).toBe('leader');
  });
});

describe('a lease that stands still', () => {
  it('leads nobody after its duration, by our clock and whatever times it states', async () => {
    await leading();
    api.time.advance(durationMs - 1);
    expect(leadership.role).toBe('leader');
    api.time.advance(1);
    expect(leadership.role).toBe('follower');
    await seen(() => renew('s-1_a'));
    expect(leadership.role).toBe('leader');
  });

  it('runs out later with every renewal', async () => {
    await leading();
    for (let count = 0; count < 3; count += 1) {
      api.time.advance(durationMs - 1);
      await seen(() => renew('s-1_a'));
    }
    expect(roles.entries).toEqual(['follower', 'leader']);
    api.time.advance(durationMs);
    expect(leadership.role).toBe('follower');
  });

  it('runs out although somebody writes to it without renewing it', async () => {
    await leading();
    api.time.advance(durationMs - 1);
    await seen(() => api.send('PATCH', path, { metadata: { labels: { seen: 'yes' } } }));
    api.time.advance(1);
    expect(leadership.role).toBe('follower');
  });

  it('proves nothing when it is found in our name: the holder may be gone', async () => {
    await create('s-1_a');
    await listed();
    expect(leadership.role).toBeUndefined();
    api.time.advance(durationMs);
    expect(roles.entries).toEqual(['follower']);
  });

  it('found in our name leads with its first renewal, and nobody follows meanwhile', async () => {
    await create('s-1_a');
    await listed();
    await seen(() => renew('s-1_a'));
    api.time.advance(durationMs - 1);
    expect(roles.entries).toEqual(['leader']);
    api.time.advance(1);
    expect(roles.entries).toEqual(['leader', 'follower']);
  });

  it('found in another’s name is not ours at once', async () => {
    await create('s-2_a');
    await listed();
    expect(roles.entries).toEqual(['follower']);
  });
});

describe('a watch that breaks off', () => {
  /** Breaks the watch, and answers when the code waits before it goes on. */
  async function cut(): Promise<void> {
    const before = signals.entries.length;
    api.emulator.openWatches.cut();
    await signals.atLeast(before + 1);
  }

  it('ends leadership when it stays away for longer than the lease lasts', async () => {
    await leading();
    await cut();
    api.emulator.faults.add({ kind: 'drop', path: () => true, times: Infinity });
    api.time.advance(durationMs);
    expect(leadership.role).toBe('follower');
  });

  it('goes on where it stopped and misses nothing', async () => {
    await leading();
    await cut();
    await seen(async () => {
      await renew('s-2_b');
      api.time.advance(1000);
    });
    expect(leadership.role).toBe('follower');
  });

  it.each<{ name: string; holder: string; wantRoles: readonly Role[] }>([
    { name: 'renewed meanwhile', holder: 's-1_a', wantRoles: ['follower', 'leader'] },
    { name: 'taken meanwhile', holder: 's-2_b', wantRoles: ['follower', 'leader', 'follower'] },
  ])('and whose version is forgotten (410) is replaced by a list: $name', async ({ holder, wantRoles }) => {
    await leading();
    await cut();
    await renew(holder);
    api.emulator.store.forgetHistory();
    api.time.advance(1000);
    // The 410, the pause after it, and the list.
    await signals.atLeast(3);
    api.time.advance(1000);
    await signals.atLeast(4);
    expect(signals.entries).toEqual(['listed', 'interrupted', 'expired', 'listed']);
    // A renewal found so counts from now on.
    api.time.advance(durationMs - 1);
    expect(roles.entries).toEqual(wantRoles);
  });
});

describe('a term', () => {
  it('is there while we lead, and tells whose lease it goes by', async () => {
    await listed();
    expect(leadership.term).toBeUndefined();
    await seen(() => create('s-1_a'));
    expect(leadership.term).toBe('s-1_a/0/id1');
    expect(leadership.leader).toBe('s-1_a');
    await seen(() => renew('s-2_b'));
    expect(leadership.term).toBeUndefined();
    expect(leadership.leader).toBe('s-2_b');
  });

  it('stays the same over renewals', async () => {
    await leading();
    await seen(() => renew('s-1_a'));
    expect(leadership.term).toBe('s-1_a/0/id1');
  });

  it('is another after every loss', async () => {
    await leading();
    await seen(() => renew('s-2_b'));
    await seen(() => renew('s-1_a'));
    expect(leadership.term).toBe('s-1_a/0/id2');
  });

  it.each([
    { name: 'came back under another id', spec: { holderIdentity: 's-1_b' }, want: 's-1_b/0/id2' },
    {
      name: 'had lost it in between, unseen by us',
      spec: { leaseTransitions: 2 },
      want: 's-1_a/2/id2',
    },
  ])('is another when the holder $name', async ({ spec, want }) => {
    await leading();
    await seen(() => api.send('PATCH', path, { spec }));
    expect(leadership.term).toBe(want);
    expect(roles.entries).toEqual(['follower', 'leader']);
  });

  it('is over by the clock, whether or not timers have had their turn', async () => {
    await leading();
    const atMs = api.time.nowMs();
    // As after SIGSTOP: the time is another, and no timer has fired.
    api.nowMs = () => atMs + durationMs - 1;
    expect(leadership.term).toBe('s-1_a/0/id1');
    api.nowMs = () => atMs + durationMs;
    expect(leadership.term).toBeUndefined();
    expect(leadership.role).toBe('follower');
    expect(roles.entries).toEqual(['follower', 'leader', 'follower']);
  });
});

describe('stopping', () => {
  it('ends the watch and the term', async () => {
    await leading();
    const stopped = leadership.stop();
    expect(leadership.term).toBeUndefined();
    await stopped;
    await leadership.stop();
    expect(api.time.pending).toBe(0);
    expect(leadership.role).toBe('follower');
    expect(roles.entries).toEqual(['follower', 'leader']);
  });
});
