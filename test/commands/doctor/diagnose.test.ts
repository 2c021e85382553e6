/** What the doctor finds in a cluster and in the ledger of its server, without either being there. */
import { describe, expect, it } from '@jest/globals';
import { confirmed, diagnose, type Diagnosis, mayPass } from '../../../src/commands/doctor/diagnose.ts';
import { diagnosisText } from '../../../src/commands/doctor/diagnosis-text.ts';
import type { ServerEntry, ServerLedger } from '../../../src/commands/doctor/server-ledger.ts';
import type { Look, WebhookLook } from '../../../src/commands/doctor/subject.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { Sealer } from '../../../src/kubernetes/seal.ts';
import { type LookedAtKind, lookedAtKinds, readPicture } from '../../../src/migration/cluster-picture.ts';
import { objectName } from '../../../src/migration/finding.ts';
import { allocatedOf, lockFamilies, namelessKey } from '../../kubernetes/support/lock-families.ts';
import { allocationAnnotations, nvidiaVendors } from '../../state/support/device-states.ts';
import { gpuLimits, makeNodeObject, makePod, type PodFields } from '../../support/kubernetes-objects.ts';

const nowMs = Date.parse('2026-08-21T06:20:39Z');
const sealer = new Sealer(Buffer.alloc(32, 7), nvidiaVendors);
const lease = { namespace: 'tessera-system', name: 'tessera-scheduler' };

interface Clinic {
  readonly objects?: readonly object[];
  readonly server?: ServerLedger;
  readonly webhooks?: readonly WebhookLook[];
  readonly missing?: ReadonlyMap<string, string>;
  readonly notListed?: ReadonlyMap<LookedAtKind, string>;
  readonly withoutKey?: boolean;
  readonly election?: boolean;
}

const node = makeNodeObject({ name: 'n1', devices: [{ memoryMiB: 8000 }, { index: 1, memoryMiB: 8000 }] });
const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
const allocated = 'gpu-0,NVIDIA,3000,0:;';

/** A pod on n1 that asks for one card. */
const bare = (fields: PodFields = {}) =>
  makePod({ nodeName: 'n1', phase: 'Running', containers: [{ limits, state: 'running' }], ...fields });

function written(value = allocated, { annotations = {}, ...fields }: PodFields = {}) {
  return bare({ ...fields, annotations: { ...allocationAnnotations('n1', value), ...annotations } });
}

function sealed(value = allocated, { annotations = {}, ...fields }: PodFields = {}) {
  const allocation = allocationAnnotations('n1', value);
  const seal = sealer.seal(fields.uid ?? `uid-${fields.name ?? 'pod-1'}`, 'n1', allocation);
  return written(value, { ...fields, annotations: { 'tessera.io/seal': seal, ...annotations } });
}

function look({ objects = [node], server, webhooks = [], missing, notListed }: Clinic): Look {
  const raw = objects.map((value) => {
    const kind = lookedAtKinds.find((known) => known === (value as { readonly kind?: unknown }).kind);
    if (kind === undefined) throw new Error('no kind that is looked at');
    return { kind, value };
  });
  const picture = readPicture({ objects: raw, missing: notListed ?? new Map() });
  return { picture, server, webhooks, missing: missing ?? new Map(), nowMs };
}

function examine(clinic: Clinic): Diagnosis {
  const loaded = loadConfig({ environment: {}, flags: {} });
  if (!loaded.ok) throw new Error(loaded.problem);
  return diagnose(look(clinic), {
    config: loaded.value.config,
    vendors: lockFamilies,
    sealer: clinic.withoutKey === true ? undefined : sealer,
    lease: clinic.election === true ? lease : undefined,
  });
}

const told = ({ findings }: Diagnosis) => findings.map(({ code, object }) => [code, objectName(object)]);

const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 };
const entry: ServerEntry = {
  podUid: 'uid-pod-1',
  namespace: 'default',
  name: 'pod-1',
  node: 'n1',
  state: 'bound',
  allocation: [[share]],
  believed: true,
};
const ledgerOf = (...entries: readonly ServerEntry[]): ServerLedger => ({ synced: true, entries });

const lock = (value: string, annotation = 'hami.io/mutex.lock') => ({
  ...node,
  metadata: { ...node.metadata, annotations: { ...node.metadata?.annotations, [annotation]: value } },
});
const nameless = (value: string) => lock(value, namelessKey);
const inTwoMinutes = '2026-08-21T06:18:39Z';
const before = '2026-08-21T06:18:38Z';
const lockedFor = (name: string, time = '2026-08-21T06:20:00Z') => lock(`${time},default,${name}`);

const leaseObject = (spec: object) => ({ kind: 'Lease', metadata: lease, spec });

describe('the doctor', () => {
  it.each<Clinic & { readonly name: string }>([
    { name: 'a sealed pod', objects: [node, sealed()] },
    { name: 'a sealed pod that the server knows', objects: [node, sealed()], server: ledgerOf(entry) },
    {
      name: 'a bind under way',
      objects: [node, bare({ nodeName: '', phase: 'Pending' })],
      server: ledgerOf({ ...entry, state: 'assumed' }),
    },
    { name: 'a charge that drains', server: ledgerOf({ ...entry, state: 'draining' }) },
    {
      name: 'a pod of others, without the key of the seal',
      objects: [node, written()],
      server: ledgerOf({ ...entry, believed: false }),
      withoutKey: true,
    },
    {
      name: 'a lock whose owner waits for its devices',
      objects: [lockedFor('pod-1'), sealed(allocated, { phase: 'Pending' })],
    },
    {
      name: 'a lock of a bind that has just begun',
      objects: [lockedFor('pod-1', '2026-08-21T06:20:30Z'), bare({ nodeName: '', phase: 'Pending' })],
    },
    { name: 'a lock that names nobody, of the last two minutes', objects: [nameless(inTwoMinutes)] },
    {
      name: 'an older one for whose plugin a pod waits',
      objects: [
        nameless(before),
        makePod({ nodeName: 'n1', annotations: { 'hami.io/vgpu-node': 'n1', ...allocatedOf.nameless } }),
      ],
    },
    { name: 'a sound webhook', webhooks: [{ configuration: 'tessera', standing: 'sound' }] },
    { name: 'kinds that do not matter', notListed: new Map([['ConfigMap', 'no']]) },
  ])('finds nothing wrong with $name', (clinic) => {
    expect(told(examine(clinic))).toEqual([]);
  });

  const pod = 'Pod default/pod-1';
  it.each<Clinic & { readonly name: string; readonly want: readonly (readonly [string, string])[] }>([
    { name: 'a charge of a pod that is gone', server: ledgerOf(entry), want: [['LedgerLeaked', pod]] },
    {
      name: 'a pod that the server does not charge',
      objects: [node, sealed()],
      server: ledgerOf(),
      want: [['LedgerMissing', pod]],
    },
    {
      name: 'a pod that the server has elsewhere',
      objects: [node, sealed()],
      server: ledgerOf({ ...entry, node: 'n2' }),
      want: [['LedgerMisplaced', pod]],
    },
    {
      name: 'an allocation that the server knows otherwise',
      objects: [node, sealed()],
      server: ledgerOf({ ...entry, allocation: [[{ ...share, deviceId: 'gpu-1' }]] }),
      want: [['LedgerAltered', pod]],
    },
    {
      name: 'an allocation that was altered, without the key',
      objects: [node, written('gpu-1,NVIDIA,3000,0:;')],
      server: ledgerOf(entry),
      withoutKey: true,
      want: [['LedgerAltered', pod]],
    },
    {
      name: 'a server that is not synced, whose ledger is not judged',
      objects: [node, sealed()],
      server: { synced: false, entries: [] },
      want: [['ServerNotSynced', 'Server ledger']],
    },
    {
      name: 'more given out than there is',
      objects: [node, ...['a', 'b', 'c'].map((name) => sealed(allocated, { name }))],
      want: [['CardOvercommitted', 'Node n1']],
    },
    { name: 'a pod that went around', objects: [node, bare()], want: [['BoundWithoutAllocation', pod]] },
    {
      name: 'a pod that lost its allocation',
      objects: [node, bare({ annotations: { 'hami.io/vgpu-node': 'n1' } })],
      want: [['BoundWithoutAllocation', pod]],
    },
    {
      name: 'an allocation for another node',
      objects: [node, written(allocated, { annotations: { 'hami.io/vgpu-node': 'n2' } })],
      want: [['AllocationInvalid', pod]],
    },
    {
      name: 'an allocation that cannot be read',
      objects: [node, written('gpu-0,NVIDIA:;')],
      want: [['AllocationInvalid', pod]],
    },
    {
      name: 'a sealed allocation of fewer cards than asked for',
      objects: [
        node,
        sealed(allocated, { containers: [{ limits: gpuLimits({ count: 2, memoryMiB: 3000 }) }] }),
      ],
      want: [['AllocationInvalid', pod]],
    },
    {
      name: 'a broken seal',
      objects: [node, sealed(allocated, { annotations: { 'tessera.io/seal': 'v1.x' } })],
      want: [['SealBroken', pod]],
    },
    { name: 'an allocation of others', objects: [node, written()], want: [['AllocationUnsealed', pod]] },
    { name: 'a lock of nobody', objects: [lockedFor('gone')], want: [['LockLeftOver', 'Node n1']] },
    {
      name: 'a lock of a pod that is over',
      objects: [lockedFor('pod-1'), sealed(allocated, { phase: 'Failed' })],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'a lock of a pod that has its devices',
      objects: [lockedFor('pod-1'), sealed()],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'a lock of a pod that was never bound',
      objects: [lockedFor('pod-1'), bare({ nodeName: '', phase: 'Pending' })],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'a lock of a pod on another node',
      objects: [lockedFor('pod-1'), makePod({ nodeName: 'n2' })],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'a lock of a pod whose allocation failed',
      objects: [
        lockedFor('pod-1'),
        sealed(allocated, { phase: 'Pending', annotations: { 'hami.io/bind-phase': 'failed' } }),
      ],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'an old lock without an owner',
      objects: [lock('2026-08-21T06:00:00Z')],
      want: [['LockLeftOver', 'Node n1']],
    },
    { name: 'a lock that cannot be read', objects: [lock('soon')], want: [['LockMalformed', 'Node n1']] },
    {
      name: 'a lock that names nobody and for which nobody waits',
      objects: [nameless(before)],
      want: [['LockLeftOver', 'Node n1']],
    },
    {
      name: 'a lock of a form that its family has not',
      objects: [nameless('2026-08-21T06:20:00Z,default,pod-1')],
      want: [['LockMalformed', 'Node n1']],
    },
    {
      name: 'a register that cannot be read',
      objects: [makeNodeObject({ annotations: { 'hami.io/node-nvidia-register': '[{"id":' } })],
      want: [['RegisterMalformed', 'Node n1']],
    },
    {
      name: 'devices that are not on offer',
      objects: [makeNodeObject({ devices: [{}], allocatable: { 'nvidia.com/gpu': '0' } })],
      want: [['DevicesUnavailable', 'Node n1']],
    },
    {
      name: 'an object that cannot be read',
      objects: [{ ...node, status: 7 }],
      want: [['ObjectUnreadable', 'Node n1']],
    },
    {
      name: 'a lease that is held',
      objects: [
        leaseObject({ holderIdentity: 'a', leaseDurationSeconds: 10, renewTime: '2026-08-21T06:20:35Z' }),
      ],
      election: true,
      want: [['LeaseHeld', 'Lease tessera-system/tessera-scheduler']],
    },
    {
      name: 'a lease that nobody renews',
      objects: [
        leaseObject({ holderIdentity: 'a', leaseDurationSeconds: 10, renewTime: '2026-08-21T06:10:35Z' }),
      ],
      election: true,
      want: [['LeaseExpired', 'Lease tessera-system/tessera-scheduler']],
    },
    {
      name: 'a lease that was given up',
      objects: [leaseObject({ holderIdentity: '' })],
      election: true,
      want: [['LeaseMissing', 'Lease tessera-system/tessera-scheduler']],
    },
    {
      name: 'a lease that is not there',
      election: true,
      want: [['LeaseMissing', 'Lease tessera-system/tessera-scheduler']],
    },
    {
      name: 'leases that may not be listed',
      election: true,
      notListed: new Map([['Lease', 'no']]),
      want: [['NotLookedAt', 'Cluster Lease']],
    },
    {
      name: 'webhooks that nobody can call',
      webhooks: [
        { configuration: 'a', standing: 'missing' },
        { configuration: 'b', standing: 'without-authority' },
        { configuration: 'c', standing: 'differs' },
      ],
      want: [
        ['WebhookMissing', 'MutatingWebhookConfiguration a'],
        ['CaBundleMissing', 'MutatingWebhookConfiguration b'],
        ['CaBundleDiffers', 'MutatingWebhookConfiguration c'],
      ],
    },
    {
      name: 'what was not looked at',
      missing: new Map([['seals', 'no key']]),
      want: [['NotLookedAt', 'Cluster seals']],
    },
  ])('finds $name', ({ want, ...clinic }) => {
    expect(told(examine(clinic))).toEqual(want);
  });

  it('tells what passes only when it is there at both looks', () => {
    const objects = [node, sealed(), bare({ name: 'around' })];
    const both = look({ objects, server: ledgerOf() });
    const first = examine({ objects, server: ledgerOf() });
    expect(mayPass(first)).toBe(true);
    expect(told(confirmed(first, first, both))).toEqual(told(first));
    const caughtUp = examine({ objects, server: ledgerOf(entry) });
    const wrong = [['LedgerMissing', 'Pod default/around']];
    expect(told(caughtUp).slice(0, 1)).toEqual(wrong);
    expect(told(confirmed(first, caughtUp, both)).slice(0, 1)).toEqual(wrong);
    expect(told(confirmed(caughtUp, first, both)).slice(0, 1)).toEqual(wrong);
    expect(mayPass(examine({ objects: [node, bare()] }))).toBe(false);
  });

  it('says in plain sentences what it saw, what is wrong, and what to do', () => {
    const text = diagnosisText(examine({ objects: [node, sealed()], server: ledgerOf() }));
    expect(text).toContain(
      'Looked at 1 node, 1 pod and a server’s ledger of 0 allocations: 1 fault, 0 notes.',
    );
    expect(text).toContain(
      '  LedgerMissing\n    Pod default/pod-1: the server has nothing, the cluster bound on n1: gpu-0 3000 MiB, 0 of compute, charged as written\n    → ',
    );
    expect(text).toMatch(/\nSomething is wrong\.\n$/);
    expect(diagnosisText(examine({}))).toMatch(/no server: 0 faults, 0 notes\.\n\nNothing is wrong\.\n$/);
  });
});
