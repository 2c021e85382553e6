import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type OwnRole, ownRole } from '../../src/commands/own-role.ts';
import type { LeaderElectionConfig } from '../../src/config/config.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { EmbeddedApi } from '../kubernetes/support/embedded-api.ts';

const pod = '/api/v1/namespaces/default/pods/s-1';

let api: EmbeddedApi;
let own: OwnRole;

beforeEach(async () => {
  api = await EmbeddedApi.start();
  await api.send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 's-1' },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  });
});

afterEach(async () => {
  await own.stop();
  await api.close();
});

function open(leaderElection: Partial<LeaderElectionConfig>): void {
  let ids = 0;
  const unchanged = { enabled: true, mode: 'follow', resourceName: '', resourceNamespace: '' } as const;
  own = ownRole({
    config: {
      leaderElection: { ...unchanged, ...leaderElection },
      schedulerNames: ['first', 'second'],
    },
    client: api.client,
    namespace: 'default',
    ownPod: { namespace: 'default', name: 's-1' },
    hostname: 's-1',
    clock: api.clock,
    random: () => 0,
    newTermId: () => `id${(ids += 1)}`,
    log: makeLogger({ level: 'silent' }),
  });
  own.start();
}

async function roleLabel(): Promise<unknown> {
  const { metadata } = (await api.read(pod)) as { readonly metadata: { readonly labels?: object } };
  return Object.values(metadata.labels ?? {})[0];
}

describe('the role of the server', () => {
  it('is that of a leader without an election, and no lease is read', async () => {
    open({ enabled: false });
    await api.requests.atLeast(2);
    expect(own.role).toBe('leader');
    expect(own.term).toBe('s-1/0/id1');
    expect(await roleLabel()).toBe('leader');
    await own.stop();
    expect(api.requests.entries).toEqual([`GET ${pod}`, `PATCH ${pod}`]);
  });

  it.each([
    { name: 'the first scheduler name, in our namespace', given: ['', ''], want: ['default', 'first'] },
    { name: 'the one that is named', given: ['elsewhere', 'mine'], want: ['elsewhere', 'mine'] },
  ])('follows a lease: $name', async ({ given, want }) => {
    const [resourceNamespace = '', resourceName = ''] = given;
    const [namespace = '', name = ''] = want;
    if (namespace !== 'default')
      await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    open({ resourceName, resourceNamespace });
    // The list of leases, and our own pod before and after it was labelled as a follower's.
    await api.requests.atLeast(3);
    expect(await roleLabel()).toBe('follower');
    await api.send('POST', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
      metadata: { name },
      spec: { holderIdentity: 's-1_a', leaseDurationSeconds: 15 },
    });
    await api.lines.atLeast(1);
    expect(own.role).toBe('leader');
    await api.requests.atLeast(5);
    expect(await roleLabel()).toBe('leader');
  });

  it('is won in a lease of its own, beside that of kube-scheduler', async () => {
    open({ mode: 'campaign' });
    // Nothing there, the lease, and our own pod before and after it was labelled.
    await api.requests.atLeast(5);
    expect(own.role).toBe('leader');
    const lease = await api.read('/apis/coordination.k8s.io/v1/namespaces/default/leases/first-extender');
    expect(lease).toMatchObject({ spec: { holderIdentity: 's-1_id1' } });
    expect(own.term).toBe('s-1_id1/0/id2');
    expect(own.leader).toBe('s-1_id1');
    expect(await roleLabel()).toBe('leader');
  });

  it('is given up at the end, with the lease and the label', async () => {
    open({ mode: 'campaign' });
    await api.requests.atLeast(5);
    expect(await roleLabel()).toBe('leader');
    const stopped = own.stop();
    expect(own.term).toBeUndefined();
    await stopped;
    const lease = await api.read('/apis/coordination.k8s.io/v1/namespaces/default/leases/first-extender');
    expect(lease).toMatchObject({ spec: { holderIdentity: '' } });
    expect(await roleLabel()).toBe('follower');
  });
});
