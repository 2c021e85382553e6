/**
 * A small cluster that random operations change, and that tells a state of every change as a watch would. It keeps the
 * objects as they are now, so that at the end a second state can be built from them alone.
 */
import type { NodeObject, PodObject } from '../../../src/model/cluster-objects.ts';
import { plan } from '../../../src/placement/planner.ts';
import { DeviceState } from '../../../src/state/device-state.ts';
import { encodeAllocation } from '../../../src/vendors/allocation-codec.ts';
import { readPodRequest } from '../../../src/vendors/pod-request.ts';
import { type ContainerObjectFields, gpuLimits, type NodeFields } from '../../support/kubernetes-objects.ts';
import { allocationAnnotations, nodeObject, nvidiaVendors, podObject } from './device-states.ts';
import { parseDevicePolicy } from '../../../src/vendors/policy-annotations.ts';

export const nodeNames = ['n1', 'n2', 'n3'];
export const podNames = ['a', 'b', 'c', 'd', 'e', 'f'];

const cards = [{ index: 0 }, { index: 1, memoryMiB: 16384 }, { index: 2, slots: 2, corePercent: 150 }];
/** What a node may be; the first ones can be read, and so leave no trace of what was before them. */
const readableNodes: readonly NodeFields[] = [
  { devices: cards },
  { devices: [...cards].reverse() },
  { devices: cards.slice(0, 1) },
  { devices: cards.slice(1) },
  { devices: [{ index: 0, memoryMiB: 12288, healthy: false }] },
  { devices: cards, allocatable: { 'nvidia.com/gpu': '0' } },
  {},
];
const brokenNode: NodeFields = { devices: cards, annotations: { 'hami.io/node-nvidia-register': '[{"id":' } };

const ask = gpuLimits;
const shapes: readonly (readonly ContainerObjectFields[])[] = [
  [{ limits: ask({ count: 1, memoryMiB: 3000, corePercent: 30 }) }],
  [{ limits: ask({ count: 2, memoryPercent: 50 }) }],
  [{ limits: ask({ count: 1, memoryMiB: '16Gi' }) }],
  [{ requests: { cpu: '1500m', memory: '1Gi' } }],
  [
    { role: 'init', limits: ask({ count: 1, memoryMiB: 6000 }), requests: { cpu: '2' } },
    { role: 'sidecar', limits: ask({ count: 1, memoryMiB: 500 }) },
    { limits: ask({ count: 1, memoryMiB: 1000, corePercent: 50 }) },
    {},
  ],
];
/** What an allocation annotation may hold; empty: there is none. */
const values = [
  '',
  'gpu-0,NVIDIA,3000,30:;',
  'gpu-0,NVIDIA,100,0:gpu-1,NVIDIA,9000,10:;',
  'gpu-7,NVIDIA,3000,30:;',
  'gpu-0,NVIDIA,-1,0:;',
  ';',
  'gpu-0,NVIDIA,6000,0:;gpu-1,NVIDIA,500,0:;gpu-1,NVIDIA,1000,50:;;',
];

export const operations = [
  'node',
  'node',
  'removeNode',
  'create',
  'create',
  'assume',
  'assume',
  'confirm',
  'cancel',
  'bind',
  'bind',
  'run',
  'finishInit',
  'end',
  'delete',
  'forgetDelete',
  'wait',
] as const;
export type Operation = (typeof operations)[number];

function pick<T>(list: readonly T[], chance: number): T {
  const item = list[chance % list.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

const policies = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') } as const;
/** Trust goes by label, as a stand-in for a seal. */
const trustOf = (pod: PodObject) => (pod.labels['sealed'] === 'yes' ? 'as-written' : 'at-least-request');

export class RandomHistory {
  readonly state = new DeviceState({ vendors: nvidiaVendors, trustOf });
  nowMs = 0;
  readonly #nodes = new Map<string, NodeObject>();
  readonly #pods = new Map<string, PodObject>();
  #created = 0;

  constructor() {
    for (const [index, name] of nodeNames.slice(1).entries()) this.#setNode(name, pick(readableNodes, index));
  }

  /** The nodes as they are now. */
  nodes(): Iterable<NodeObject> {
    return this.#nodes.values();
  }

  /** The pods as they are now, by name. */
  pods(): Iterable<readonly [string, PodObject]> {
    return this.#pods;
  }

  step(operation: Operation, which: number, how: number): void {
    const name = pick(podNames, which);
    const pod = this.#pods.get(name);
    switch (operation) {
      case 'node':
        this.#setNode(pick(nodeNames, which), how % 8 === 7 ? brokenNode : pick(readableNodes, how));
        return;
      case 'removeNode':
        this.#nodes.delete(pick(nodeNames, which));
        this.state.removeNode(pick(nodeNames, which));
        return;
      case 'wait':
        this.nowMs += how * 100;
        this.state.expireDraining(this.nowMs);
        return;
      case 'create':
        if (pod === undefined) this.#create(name, how);
        return;
      default:
        if (pod !== undefined) this.#change(operation, pod, how);
    }
  }

  #change(
    operation: Exclude<Operation, 'node' | 'removeNode' | 'wait' | 'create'>,
    pod: PodObject,
    how: number,
  ) {
    switch (operation) {
      case 'assume':
        this.#assume(pod, how);
        return;
      case 'confirm':
        this.#confirm(pod);
        return;
      case 'cancel':
        this.state.cancel(pod.uid);
        return;
      case 'bind':
        this.#bind(pod, how);
        return;
      case 'run':
        if (pod.nodeName !== undefined && pod.phase === 'Pending') this.#apply({ ...pod, running: true });
        return;
      case 'finishInit':
        if (pod.nodeName !== undefined) this.#apply({ ...pod, initFinished: true });
        return;
      case 'end':
        this.#end(pod, how);
        return;
      case 'delete':
        this.#pods.delete(pod.name);
        this.state.removePod(pod.uid, this.nowMs);
        return;
      case 'forgetDelete':
        // The watch missed the deletion; only the successor of the same name tells.
        this.#create(pod.name, how);
        return;
    }
  }

  /** Brings both to rest: every node readable, nothing assumed, nothing draining. */
  settle(): void {
    for (const [index, name] of [...this.#nodes.keys()].entries())
      this.#setNode(name, pick(readableNodes, index));
    for (const { uid } of this.#pods.values()) this.state.cancel(uid);
    this.state.expireDraining(Number.MAX_SAFE_INTEGER);
  }

  /** A state made of the objects as they are now, pods in the given order. */
  fromScratch(reversed: boolean): DeviceState {
    const state = new DeviceState({ vendors: nvidiaVendors, trustOf });
    const pods = [...this.#pods.values()];
    for (const pod of reversed ? pods.reverse() : pods) state.applyPod(pod, this.nowMs);
    for (const node of this.#nodes.values()) state.applyNode(node);
    state.expireDraining(Number.MAX_SAFE_INTEGER);
    return state;
  }

  #setNode(name: string, fields: NodeFields): void {
    const node = nodeObject({ ...fields, name });
    this.#nodes.set(name, node);
    this.state.applyNode(node);
  }

  #create(name: string, how: number): void {
    this.#created += 1;
    const labels = how % 2 === 0 ? { sealed: 'yes' } : {};
    const uid = `uid-${this.#created}`;
    this.#apply(podObject({ name, uid, labels, containers: pick(shapes, how) }));
  }

  #assume(pod: PodObject, how: number): void {
    const node = pick(nodeNames, how);
    const view = this.state.view(node);
    const { request } = readPodRequest(pod, nvidiaVendors);
    // Only what we wrote ourselves is sealed, so an unsealed pod is nobody's to assume.
    if (pod.nodeName !== undefined || trustOf(pod) !== 'as-written') return;
    if (view === undefined || this.state.entry(pod.uid) !== undefined) return;
    // A pod without devices is bound past the ledger.
    if (this.state.pending(pod.uid) === undefined) return;
    const verdict = plan(view, request, policies);
    if (verdict.ok) this.state.assume({ pod, request, node, allocation: verdict.allocation });
  }

  /** Our own bind succeeded: the cluster has exactly what was assumed, and the watch comes later or now. */
  #confirm(pod: PodObject): void {
    const entry = this.state.entry(pod.uid);
    if (entry?.state !== 'assumed') return;
    this.state.confirm(pod.uid);
    this.#apply(withAllocation(pod, entry.node, encodeAllocation(entry.allocation, 'NVIDIA') ?? ''));
  }

  /** Somebody else binds the pod; where it is assumed by us, then to another node. */
  #bind(pod: PodObject, how: number): void {
    if (pod.nodeName !== undefined) return;
    const assumedOn = this.state.entry(pod.uid)?.node;
    const nodes = nodeNames.filter((name) => name !== assumedOn);
    this.#apply(withAllocation(pod, pick(nodes, how), pick(values, how >> 2)));
  }

  #end(pod: PodObject, how: number): void {
    if (pod.phase === 'Succeeded') return;
    this.#apply({
      ...pod,
      phase: how % 2 === 0 ? 'Succeeded' : 'Failed',
      running: pod.running && how % 3 === 0,
    });
  }

  #apply(pod: PodObject): void {
    this.#pods.set(pod.name, pod);
    this.state.applyPod(pod, this.nowMs);
  }
}

function withAllocation(pod: PodObject, node: string, value: string): PodObject {
  const annotations = value === '' ? {} : allocationAnnotations(node, value);
  return { ...pod, nodeName: node, annotations: { ...pod.annotations, ...annotations } };
}
