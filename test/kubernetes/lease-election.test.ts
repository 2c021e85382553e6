import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LeaseElection } from '../../src/kubernetes/lease-election.ts';
import type { Role } from '../../src/kubernetes/leadership.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { Journal } from '../support/journal.ts';
import { EmbeddedApi } from './support/embedded-api.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const path = `${leases}/ours`;
const durationMs = 10_000;
const renewDeadlineMs = 6000;
const retryPeriodMs = 2000;
const shortestPauseMs = 250;

let api: EmbeddedApi;
let ids: number;
let candidates: Candidate[];

interface Candidate {
  readonly election: LeaseElection;
  readonly roles: Journal<Role>;
}

beforeEach(async () => {
  api = await EmbeddedApi.start();
  ids = 0;
  candidates = [];
});

afterEach(async () => {
  await Promise.all(candidates.map(({ election }) => election.stop()));
  await api.close();
});

function start(identity: string): Candidate {
  const roles = new Journal<Role>();
  const election = new LeaseElection({
    client: api.client,
    lease: { namespace: 'default', name: 'ours' },
    identity,
    clock: api.clock,
    random: () => 0,
    newTermId: () => `id${(ids += 1)}`,
    log: makeLogger({ level: 'silent' }),
    onRole: (role) => {
      roles.add(role);
    },
  });
  const candidate = { election, roles };
  candidates.push(candidate);
  election.start();
  return candidate;
}

/** Lets time pass, and waits until the attempt that falls due has ended in the wait for the next one. */
async function attempted(ms: number): Promise<void> {
  const before = api.waitsMs.entries.length;
  api.time.advance(ms);
  await api.waitsMs.atLeast(before + 1);
}

/** A follower in the wait for its next attempt. */
async function following(identity = 's-1_a'): Promise<Candidate> {
  const candidate = start(identity);
  await api.waitsMs.atLeast(1);
  expect(candidate.roles.entries).toEqual(['follower']);
  return candidate;
}

async function leading(identity = 's-1_a'): Promise<Candidate> {
  const candidate = start(identity);
  await candidate.roles.atLeast(1);
  expect(candidate.election.role).toBe('leader');
  // The end of its time, and the wait for its next renewal.
  await api.waitsMs.atLeast(2);
  return candidate;
}

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

async function stored(): Promise<LeaseSpec> {
  return ((await api.read(path)) as { readonly spec: LeaseSpec }).spec;
}

const takeAs = (holderIdentity: string, spec: object = {}) =>
  api.send('POST', leases, {
    metadata: { name: 'ours' },
    spec: {
      holderIdentity,
      leaseDurationSeconds: 10,
      renewTime: '2001-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
      ...spec,
    },
  });

describe('a lease that is free', () => {
  it('is made where there is none, and names term and leader', async () => {
    const { election } = await leading();
    const { acquireTime, ...spec } = await stored();
    expect(spec).toEqual({
      holderIdentity: 's-1_a',
      leaseDurationSeconds: 10,
      renewTime: acquireTime,
      leaseTransitions: 0,
    });
    expect(election.term).toBe('s-1_a/0/id1');
    expect(election.leader).toBe('s-1_a');
  });

  it('is taken when its last holder gave it up', async () => {
    await takeAs('');
    const { election } = await leading();
    expect(election.term).toBe('s-1_a/5/id1');
    expect(await stored()).toMatchObject({ holderIdentity: 's-1_a', leaseTransitions: 5 });
  });

  it('is taken when it is ours without our knowing: the answer to the claim was lost', async () => {
    api.emulator.faults.add({ kind: 'answer', code: 500, method: 'POST', path: /leases/ });
    const { election } = await following();
    await takeAs('s-1_a');
    await attempted(retryPeriodMs);
    expect(election.term).toBe('s-1_a/4/id1');
  });
});

describe('a lease that another holds', () => {
  it.each([
    { name: 'as client-go writes it', spec: {} },
    { name: 'whatever times it states', spec: { renewTime: '2999-01-01T00:00:00.000000Z' } },
    { name: 'even if it cannot be understood', spec: { leaseDurationSeconds: null } },
  ])('is respected until it has stood still for its duration: $name', async ({ spec }) => {
    await takeAs('s-2_b', spec);
    const { election, roles } = await following();
    await attempted(durationMs - 1);
    expect(election.term).toBeUndefined();
    api.time.advance(shortestPauseMs);
    await roles.atLeast(2);
    expect(election.term).toBe('s-1_a/5/id1');
  });

  it('is respected for as long as it is renewed', async () => {
    await takeAs('s-2_b');
    const { election } = await following();
    for (let count = 1; count < 4; count += 1) {
      const lines = api.lines.entries.length;
      await api.send('PATCH', path, { spec: { renewTime: `2001-01-01T00:0${count}:00.000000Z` } });
      await api.lines.atLeast(lines + 1);
      api.time.advance(durationMs - 1);
    }
    expect(election.role).toBe('follower');
    expect(election.leader).toBe('s-2_b');
    expect(api.requests.entries.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });
});

describe('the leader', () => {
  it('renews every two seconds, in one term', async () => {
    const { election } = await leading();
    const before = await stored();
    await attempted(retryPeriodMs);
    const { renewTime, ...rest } = await stored();
    const { renewTime: renewedBefore, ...unchanged } = before;
    expect(Date.parse(renewTime) - Date.parse(renewedBefore)).toBe(retryPeriodMs);
    expect(rest).toEqual(unchanged);
    expect(election.term).toBe('s-1_a/0/id1');
  });

  it('steps down when it could not renew for six seconds, and leads later in another term', async () => {
    const { election, roles } = await leading();
    const rule = api.emulator.faults.add({
      kind: 'answer',
      code: 500,
      method: 'PUT',
      path: /leases/,
      times: Infinity,
    });
    await attempted(retryPeriodMs);
    await attempted(retryPeriodMs);
    expect(rule.hits).toBe(2);
    api.time.advance(retryPeriodMs - 1);
    expect(election.term).toBe('s-1_a/0/id1');
    api.time.advance(renewDeadlineMs - 3 * retryPeriodMs + 1);
    expect(election.term).toBeUndefined();
    expect(roles.entries).toEqual(['leader', 'follower']);
    rule.remove();
    await roles.atLeast(3);
    expect(election.term).toBe('s-1_a/0/id2');
  });

  it('is none by the clock after a standstill, before any timer had its turn', async () => {
    const { election } = await leading();
    const atMs = api.time.nowMs();
    api.nowMs = () => atMs + renewDeadlineMs - 1;
    expect(election.term).toBe('s-1_a/0/id1');
    api.nowMs = () => atMs + renewDeadlineMs;
    expect(election.term).toBeUndefined();
  });

  it('goes on when somebody has written to the lease without taking it', async () => {
    const { election } = await leading();
    await api.send('PATCH', path, { metadata: { labels: { seen: 'yes' } } });
    // One is out of date, the next is not.
    await attempted(retryPeriodMs);
    expect(election.term).toBe('s-1_a/0/id1');
    expect(await api.read(path)).toMatchObject({ metadata: { labels: { seen: 'yes' } } });
  });

  it('follows when it finds the lease taken', async () => {
    const { election, roles } = await leading();
    await api.send('PATCH', path, { spec: { holderIdentity: 's-2_b' } });
    api.time.advance(retryPeriodMs);
    await roles.atLeast(2);
    expect(election.term).toBeUndefined();
    expect(election.leader).toBe('s-2_b');
  });
});

describe('a clean stop', () => {
  it('ends the term at once, gives the lease up, and the next one leads without any time passing', async () => {
    const first = await leading('s-1_a');
    const second = start('s-2_b');
    await second.roles.atLeast(1);
    expect(second.election.role).toBe('follower');
    const atMs = api.time.nowMs();
    const stopped = first.election.stop();
    expect(first.election.term).toBeUndefined();
    expect(first.roles.entries).toEqual(['leader', 'follower']);
    await stopped;
    await second.roles.atLeast(2);
    expect(second.election.term).toBe('s-2_b/1/id2');
    expect(api.time.nowMs()).toBe(atMs);
  });

  it('of a follower leaves the lease as it is', async () => {
    await takeAs('s-2_b');
    const { election } = await following();
    const before = await stored();
    await election.stop();
    await election.stop();
    expect(await stored()).toEqual(before);
    expect(api.time.pending).toBe(0);
  });
});
