import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/kubernetes/leadership.ts';
import { RoleLabels } from '../../src/kubernetes/role-label.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { EmbeddedApi } from './support/embedded-api.ts';

const namespace = 'default';
const pods = `/api/v1/namespaces/${namespace}/pods`;
const own = `${pods}/s-1`;
const hami = {
  'app.kubernetes.io/name': 'hami',
  'app.kubernetes.io/instance': 'release-1',
  'app.kubernetes.io/component': 'hami-scheduler',
};
const label = 'hami.io/scheduler-role';
const minuteMs = 60_000;

let api: EmbeddedApi;
let labels: RoleLabels;
/** Looks that are over; each ends in a wait. */
let looks: number;

beforeEach(async () => {
  api = await EmbeddedApi.start();
  looks = 0;
  labels = makeLabels();
});

afterEach(async () => {
  await labels.stop();
  await api.close();
});

function makeLabels(options: { readonly labelsOthers?: boolean } = {}): RoleLabels {
  return new RoleLabels({
    client: api.client,
    ownPod: { namespace, name: 's-1' },
    labelsOthers: true,
    clock: api.clock,
    random: () => 0,
    log: makeLogger({ level: 'silent' }),
    ...options,
  });
}

async function addPod(name: string, podLabels: Readonly<Record<string, string>> = hami): Promise<void> {
  await api.send('POST', pods, {
    metadata: { name, labels: podLabels },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  });
}

async function nextLook(): Promise<void> {
  looks += 1;
  await api.waitsMs.atLeast(looks);
}

async function said(role: Role): Promise<void> {
  labels.say(role);
  await nextLook();
}

async function labelsOf(name: string): Promise<Readonly<Record<string, string>>> {
  const pod = (await api.read(`${pods}/${name}`)) as {
    readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  };
  return pod.metadata.labels ?? {};
}

const roleOf = async (name: string) => (await labelsOf(name))[label];

function writes(): readonly string[] {
  return api.requests.entries.filter((request) => !request.startsWith('GET '));
}

describe('the label of our own pod', () => {
  it.each<Role>(['leader', 'follower'])('says %s in HAMi’s words and keeps other labels', async (role) => {
    await addPod('s-1');
    await said(role);
    expect(await labelsOf('s-1')).toEqual({ ...hami, [label]: role });
    expect(writes()).toEqual([`PATCH ${own}`]);
  });

  it.each<Role>(['leader', 'follower'])('is not written when it says %s already', async (role) => {
    await addPod('s-1', { ...hami, [label]: role });
    await said(role);
    expect(writes()).toEqual([]);
  });

  it('follows the role at once', async () => {
    await addPod('s-1');
    await said('leader');
    await said('follower');
    expect(await roleOf('s-1')).toBe('follower');
    await said('leader');
    expect(await roleOf('s-1')).toBe('leader');
    expect(writes()).toHaveLength(3);
  });

  it('is written again within a minute when somebody takes it away', async () => {
    await addPod('s-1');
    await said('leader');
    await api.send('PATCH', own, { metadata: { labels: { [label]: null } } });
    api.time.advance(minuteMs - 1);
    expect(await roleOf('s-1')).toBeUndefined();
    api.time.advance(1);
    await nextLook();
    expect(await roleOf('s-1')).toBe('leader');
  });

  it.each([
    { name: 'an error', fault: { kind: 'answer', code: 500 } as const },
    { name: 'a conflict', fault: { kind: 'answer', code: 409 } as const },
    { name: 'a broken connection', fault: { kind: 'drop' } as const },
  ])('is tried again after $name, ever later, and soon after the next failure', async ({ fault }) => {
    await addPod('s-1');
    api.emulator.faults.add({ ...fault, method: 'PATCH', path: () => true, times: 2 });
    await said('leader');
    expect(await roleOf('s-1')).toBeUndefined();
    api.time.advance(250);
    await nextLook();
    api.time.advance(500);
    await nextLook();
    expect(await roleOf('s-1')).toBe('leader');
    api.emulator.faults.add({ ...fault, path: () => true });
    await said('follower');
    expect(api.waitsMs.entries).toEqual([250, 500, minuteMs, 250]);
  });

  it('waits for a pod that is not there', async () => {
    await said('leader');
    await addPod('s-1');
    api.time.advance(250);
    await nextLook();
    expect(await roleOf('s-1')).toBe('leader');
  });

  it('is not written for a role that has changed during the look', async () => {
    await addPod('s-1');
    labels.say('leader');
    await said('follower');
    expect(api.requests.entries).toEqual([`GET ${own}`, `GET ${own}`, `PATCH ${own}`]);
    expect(await roleOf('s-1')).toBe('follower');
  });
});

describe('the labels of the other schedulers', () => {
  it('are set by the leader, on pods with our name, instance and component alone', async () => {
    await addPod('s-1', { ...hami, extra: 'label' });
    await addPod('s-2', { ...hami, [label]: 'leader' });
    await addPod('s-10');
    await addPod('s-3', { ...hami, [label]: 'follower' });
    await addPod('plugin', { ...hami, 'app.kubernetes.io/component': 'hami-device-plugin' });
    await addPod('another', { ...hami, 'app.kubernetes.io/instance': 'release-2', [label]: 'leader' });
    await said('leader');
    expect(await Promise.all(['s-1', 's-2', 's-10', 's-3', 'plugin', 'another'].map(roleOf))).toEqual([
      'leader',
      'follower',
      'follower',
      'follower',
      undefined,
      'leader',
    ]);
    expect(writes()).toHaveLength(3);
    expect(writes()[0]).toBe(`PATCH ${own}`);
  });

  it.each([
    { name: 'by a follower', role: 'follower' as const, own: hami, options: {} },
    { name: 'without an election', role: 'leader' as const, own: hami, options: { labelsOthers: false } },
    { name: 'by a pod that shares no label', role: 'leader' as const, own: {}, options: {} },
  ])('are left alone $name', async ({ role, own: ownLabels, options }) => {
    labels = makeLabels(options);
    await addPod('s-1', ownLabels);
    await addPod('s-2');
    await said(role);
    expect(await roleOf('s-2')).toBeUndefined();
    expect(writes()).toEqual([`PATCH ${own}`]);
  });

  it('are tried again one by one: a failure keeps none of the rest waiting', async () => {
    for (const name of ['s-1', 's-2', 's-3']) await addPod(name);
    api.emulator.faults.add({ kind: 'answer', code: 500, method: 'PATCH', path: /s-2$/ });
    await said('leader');
    expect(await roleOf('s-3')).toBe('follower');
    expect(await roleOf('s-2')).toBeUndefined();
    api.time.advance(250);
    await nextLook();
    expect(await roleOf('s-2')).toBe('follower');
    expect(writes()).toHaveLength(4);
  });

  it('are set on pods that came later', async () => {
    await addPod('s-1');
    await said('leader');
    await addPod('s-2', { ...hami, [label]: 'leader' });
    api.time.advance(minuteMs);
    await nextLook();
    expect(await roleOf('s-2')).toBe('follower');
  });
});

describe('stopping', () => {
  it('ends the looks and leaves the labels', async () => {
    await addPod('s-1');
    await said('leader');
    await labels.stop();
    await labels.stop();
    expect(api.time.pending).toBe(0);
    expect(await roleOf('s-1')).toBe('leader');
  });

  it('is possible before there is a role', async () => {
    await labels.stop();
    expect(api.requests.entries).toEqual([]);
  });
});
