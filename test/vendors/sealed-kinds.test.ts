/**
 * The kinds of a bound pod's shares are those that it was bound with, whatever its tenant writes on it afterwards: over a
 * restart, where all that is left of it is its annotations, and where the leader writes them back.
 */
import { describe, expect, it } from '@jest/globals';
import { writeBack } from '../../src/kubernetes/allocation-write-back.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { nodeObject, podObject } from '../state/support/device-states.ts';
import type { NodeFields, PodFields } from '../support/kubernetes-objects.ts';
import { ascend, npuNode, npuPod, soft } from './ascend-world.ts';
import { card, qosPolicy, sgpuNode, sgpuPod, sgpuVendor } from './metax-world.ts';
import { VendorWorld } from './vendor-world.ts';

const kindsKey = 'tessera.io/kinds';
const sealKey = 'tessera.io/seal';
const hard = { 'huawei.com/vnpu-mode': '' };

interface Family {
  readonly name: string;
  readonly vendors: readonly Vendor[];
  readonly node: NodeFields;
  /** Bound with some kind; what its tenant changes afterwards would make it of another. */
  readonly pod: PodFields;
  readonly edit: TextMap;
  readonly wantKinds: string;
  /** A pod that gets on with the bound one alone, and one that gets on with what the edit says it were. */
  readonly alike: PodFields;
  readonly other: PodFields;
  readonly refusal: string;
}

const families: readonly Family[] = [
  {
    name: 'a soft slice',
    vendors: ascend(),
    node: npuNode({ chips: [{}], softly: 'true' }),
    pod: npuPod({ memory: 16_384 }, { annotations: soft }),
    edit: hard,
    wantKinds: '{"Ascend910B3":[["soft"]]}',
    alike: npuPod({ memory: 1000 }, { name: 'next', annotations: soft }),
    other: npuPod({ memory: 1000 }, { name: 'next' }),
    refusal: '1 ModeNotFit',
  },
  {
    name: 'a hard slice',
    vendors: ascend(),
    node: npuNode({ chips: [{}], softly: 'true' }),
    pod: npuPod({ memory: 16_384 }),
    edit: soft,
    wantKinds: '{"Ascend910B3":[["hard"]]}',
    alike: npuPod({ memory: 1000 }, { name: 'next' }),
    other: npuPod({ memory: 1000 }, { name: 'next', annotations: soft }),
    refusal: '1 ModeNotFit',
  },
  {
    name: 'a share under a QoS policy',
    vendors: [sgpuVendor!],
    node: sgpuNode([card('GPU-1')]),
    pod: sgpuPod({ memory: 4, cores: 20 }, { [qosPolicy]: 'fixed-share' }),
    edit: { [qosPolicy]: 'burst-share' },
    wantKinds: '{"Metax-SGPU":[["/fixed-share/"]]}',
    alike: sgpuPod({ memory: 4, cores: 20 }, { [qosPolicy]: 'fixed-share' }, 'next'),
    other: sgpuPod({ memory: 4, cores: 20 }, { [qosPolicy]: 'burst-share' }, 'next'),
    refusal: '1 CardQosPolicyMismatch',
  },
];

/** As a server has it that holds the key of the seals. */
class SealedWorld extends VendorWorld {
  readonly sealer: Sealer;
  readonly #family: Family;

  constructor(family: Family) {
    super({ vendors: family.vendors, nodes: [family.node] });
    this.#family = family;
    this.sealer = new Sealer(Buffer.alloc(32, 7), family.vendors);
  }

  /** Binds the family's pod; answers it with what was written on it. */
  bound({ before = false } = {}): PodFields {
    const { pod } = this.#family;
    const { [kindsKey]: kinds, ...others } = this.bind(pod);
    const written: TextMap = before || kinds === undefined ? others : { ...others, [kindsKey]: kinds };
    const seal = this.sealer.seal(podObject(pod).uid, 'n1', written);
    const annotations = { ...pod.annotations, ...written, [sealKey]: seal };
    return { ...pod, nodeName: 'n1', annotations };
  }

  /** A server that starts on the pod as it is now, and its answers. */
  restarted(pod: PodFields): { refusals: readonly string[]; problems: readonly string[] } {
    const { vendors, node, alike, other } = this.#family;
    const world = new VendorWorld({
      vendors,
      nodes: [node],
      trustOf: (seen) => (this.sealer.isSealed(seen) ? 'as-written' : 'at-least-request'),
    });
    const problems = world.take(pod);
    return { refusals: [world.refusal(alike), world.refusal(other)], problems };
  }
}

const changed = (pod: PodFields, changes: TextMap): PodFields => ({
  ...pod,
  annotations: { ...pod.annotations, ...changes },
});

describe.each(families)('$name', (family) => {
  const { edit, wantKinds, refusal } = family;
  const asBound = ['fits', refusal];
  const asEdited = [refusal, 'fits'];

  it('is written with the Binding and found again by a restart', () => {
    const world = new SealedWorld(family);
    const pod = world.bound();
    expect(pod.annotations?.[kindsKey]).toBe(wantKinds);
    expect(world.restarted(pod)).toEqual({ refusals: asBound, problems: [] });
  });

  it('stays what it is over a restart when its tenant has changed the pod', () => {
    const world = new SealedWorld(family);
    expect(world.restarted(changed(world.bound(), edit))).toEqual({ refusals: asBound, problems: [] });
  });

  it.each([
    { name: 'forged, whose seal is broken by it', seal: undefined },
    { name: 'without a seal', seal: '' },
  ])('is what the pod’s annotations make of it where the written kinds are $name', ({ seal }) => {
    const world = new SealedWorld(family);
    const forged = { [kindsKey]: JSON.stringify(otherKinds(wantKinds)) };
    const pod = changed(world.bound(), { ...forged, ...(seal === undefined ? {} : { [sealKey]: seal }) });
    expect(world.restarted(pod)).toEqual({ refusals: asBound, problems: [] });
    expect(world.restarted(changed(pod, edit)).refusals).toEqual(asEdited);
  });

  it('of a pod that was sealed before kinds were written is what its annotations make of it', () => {
    const world = new SealedWorld(family);
    const pod = world.bound({ before: true });
    expect(world.sealer.isSealed(podObject(pod))).toBe(true);
    expect(world.restarted(pod).refusals).toEqual(asBound);
    expect(world.restarted(changed(pod, edit)).refusals).toEqual(asEdited);
    expect(world.restarted(changed(pod, { [kindsKey]: wantKinds })).refusals).toEqual(asBound);
  });

  it.each([
    { name: 'taken away', changes: { [kindsKey]: null } },
    { name: 'changed', changes: { [kindsKey]: '{}' } },
  ])('is written back under its seal when it was $name', async ({ changes }) => {
    const world = new SealedWorld(family);
    const pod = world.bound();
    const bodies: unknown[] = [];
    const client = {
      request: ({ body }: RestRequest) => {
        bodies.push(body);
        return Promise.resolve({ kind: 'ok', status: 200, body: {} } as const);
      },
    };
    const kept = merged({ ...pod.annotations, ...edit, ...changes, 'hami.io/bind-phase': 'success' });
    const { state, sealer } = world;
    const now = podObject({ ...pod, annotations: kept });
    expect(sealer.isSealed(now)).toBe(false);
    expect(await writeBack(now, state.entry(now.uid)!, { client, sealer, state })).toBeUndefined();
    const [body] = bodies as { metadata: { annotations: Patch } }[];
    expect(body!.metadata.annotations).toMatchObject({
      [kindsKey]: wantKinds,
      [sealKey]: pod.annotations![sealKey],
    });
    const mended = podObject({ ...pod, annotations: merged({ ...kept, ...body!.metadata.annotations }) });
    expect(sealer.isSealed(mended)).toBe(true);
  });
});

type Patch = Readonly<Record<string, string | null>>;

/** Without what is null, as a merge patch takes it away. */
function merged(patch: Patch): TextMap {
  return Object.fromEntries(
    Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

/** The same words under the same keys, each with something behind it. */
function otherKinds(value: string): unknown {
  return JSON.parse(value, (_, word: unknown) => (typeof word === 'string' ? `${word}x` : word));
}

describe('a pod that was assumed', () => {
  const [family] = families as [Family];
  const { vendors, node, pod } = family;

  /** The kinds on the card when the pod was assumed as it is and then came bound as a hard slice by another server. */
  function kindsAfter(sealed: boolean): readonly string[] | undefined {
    const world = new SealedWorld(family);
    const allocation = world.plan(pod);
    if (!allocation.ok) throw new Error('it does not fit');
    const state = new DeviceState({
      vendors,
      trustOf: (seen) => (world.sealer.isSealed(seen) ? 'as-written' : 'at-least-request'),
    });
    state.applyNode(nodeObject(node));
    const pending = podObject(pod);
    const { request } = readPodRequest(pending, vendors);
    state.assume({ pod: pending, request, node: 'n1', allocation: allocation.allocation });
    const written: TextMap = { ...world.bound().annotations, [kindsKey]: '{"Ascend910B3":[["hard"]]}' };
    const seal = sealed ? world.sealer.seal(pending.uid, 'n1', written) : 'v1.forged';
    state.applyPod(podObject({ ...pod, nodeName: 'n1', annotations: { ...written, [sealKey]: seal } }), 0);
    return state.view('n1')?.devices[0]?.kinds;
  }

  it('is of the kind that it was bound with by somebody who has the key', () => {
    expect(kindsAfter(true)).toEqual(['hard']);
  });

  it('is of the kind that was assumed, whatever is written without a seal', () => {
    expect(kindsAfter(false)).toEqual(['soft']);
  });
});

describe('kinds that cannot be used', () => {
  const [{ vendors, node, pod }] = families as [Family];

  it.each([
    { name: 'no JSON', value: 'soft' },
    { name: 'a container too many', value: '{"Ascend910B3":[["hard"],[]]}' },
    { name: 'a share too many', value: '{"Ascend910B3":[["hard","hard"]]}' },
  ])('are told and left out: $name', ({ value }) => {
    const written = new VendorWorld({ vendors, nodes: [node] }).bind(pod);
    const world = new VendorWorld({ vendors, nodes: [node] });
    const annotations = { ...pod.annotations, ...written, [kindsKey]: value };
    expect(world.take({ ...pod, nodeName: 'n1', annotations })).toEqual([kindsKey]);
    expect(world.state.view('n1')?.devices[0]?.kinds).toEqual(['soft']);
  });

  it('are those of a family that is not configured, and nobody minds', () => {
    const written = new VendorWorld({ vendors, nodes: [node] }).bind(pod);
    const world = new VendorWorld({ vendors, nodes: [node] });
    const annotations = { ...pod.annotations, ...written, [kindsKey]: '{"X":[["y"]]}' };
    expect(world.take({ ...pod, nodeName: 'n1', annotations })).toEqual([]);
  });
});
