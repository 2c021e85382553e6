/**
 * A cluster of its own memory under a scheduler: it keeps what really is (which pods are bound where, with which
 * annotations), tells the state of it late as a watch does, and lets writes succeed, fail, hang or end in doubt.
 * `checkNow` compares what really is with what the ledger says and with what the cards have.
 */
import type { NodeObject, PodObject } from '../../../src/model/cluster-objects.ts';
import type { Scheduler } from '../../../src/scheduler/scheduler.ts';
import type { DeviceState } from '../../../src/state/device-state.ts';
import type { BindAnswer } from '../../../src/scheduler/bind.ts';
import { type DeviceUsage, noUsage } from '../../../src/model/device.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeState, podObject } from '../../state/support/device-states.ts';
import {
  allocatedAnnotation,
  isOver,
  nodeNames,
  overCommittedInLedger,
  pick,
  RandomNodes,
  sharesIn,
} from './random-nodes.ts';
import { type Operation, podNames, shapes } from './random-operations.ts';
import { bindingArgs, byName, flush, schedulerOver } from './scheduler-world.ts';
import { rejectedOutcome, ScriptedWriter, unknownOutcome, type Write } from './scripted-writer.ts';

const graceSeconds = 30;

export class RandomCluster {
  readonly clock = new ManualClock(0);
  readonly writer = new ScriptedWriter();
  readonly state: DeviceState = makeState();
  readonly scheduler: Scheduler;
  /** How often what happened, so that a test can tell that it tested something. */
  readonly counts = new Map<string, number>();
  readonly #nodes = new RandomNodes();
  readonly #pods = new Map<string, PodObject>();
  /** Containers that outlive their pod object, or its phase, for their grace period. */
  readonly #lingering: { readonly pod: PodObject; readonly untilMs: number }[] = [];
  readonly #news: (() => void)[] = [];
  readonly #open = new Set<Write>();
  readonly #doubts: { readonly write: Write; settle: (result: 'bound' | 'rejected') => void }[] = [];
  /** Those who still wait for an answer. */
  readonly #callers = new Set<AbortController>();
  readonly #answers: Promise<void>[] = [];
  #created = 0;
  #writesSeen = 0;
  #falseAnswer: string | undefined;

  constructor() {
    this.scheduler = schedulerOver({ state: this.state, clock: this.clock, writer: this.writer });
    for (const node of this.nodes()) this.state.applyNode(node);
  }

  async step(operation: Operation, which: number, how: number): Promise<void> {
    this.#do(operation, which, how);
    await flush();
    for (const write of this.writer.writes.slice(this.#writesSeen)) this.#open.add(write);
    this.#writesSeen = this.writer.writes.length;
  }

  /** Answers everything that is open, delivers all news, and lets all drains run out. */
  async settle(): Promise<void> {
    while (this.#open.size > 0 || this.#doubts.length > 0) {
      await this.step('fail', 0, 0);
      await this.step('settle', 0, 0);
    }
    while (this.#news.length > 0) this.#news.shift()?.();
    await Promise.all(this.#answers);
    this.clock.advance((graceSeconds + 15) * 1000);
    this.state.expireDraining(this.clock.nowMs());
  }

  /** The pods that really are bound and not over, by UID, with their nodes. */
  get boundPods(): Record<string, string> {
    const bound = this.pods().filter(isBoundNow);
    return Object.fromEntries(bound.map(({ uid, nodeName = '' }) => [uid, nodeName]));
  }

  nodes(): readonly NodeObject[] {
    return nodeNames.map((name) => this.#nodes.object(name));
  }

  pods(): readonly PodObject[] {
    return [...this.#pods.values()];
  }

  /** The first thing that is wrong now, in words. */
  checkNow(): string | undefined {
    return (
      this.#falseAnswer ??
      overCommittedInLedger(this.state) ??
      this.#checkKnown() ??
      this.#nodes.exceededBy(this.#running())
    );
  }

  #do(operation: Operation, which: number, how: number): void {
    const pod = pick([...this.#pods.values()], which);
    switch (operation) {
      case 'create':
        this.#create(pick(podNames, which) ?? '', how);
        return;
      case 'filter':
      case 'prioritize':
        if (pod === undefined) return;
        this.scheduler[operation](byName(pod, ...(how % 3 === 0 ? nodeNames.slice(0, 1) : nodeNames)));
        return;
      case 'bind':
      case 'bindAgain':
        if (pod !== undefined) this.#bind(pod, pick(nodeNames, how) ?? '', operation === 'bindAgain' ? 2 : 1);
        return;
      case 'burst':
        for (const waiting of this.pods().filter(({ nodeName }) => nodeName === undefined)) {
          this.scheduler.filter(byName(waiting, ...nodeNames));
          this.#bind(waiting, pick(nodeNames, which) ?? '', 1);
        }
        return;
      case 'hangUp':
        pick([...this.#callers], how)?.abort();
        return;
      case 'succeed':
      case 'fail':
      case 'doubt':
        this.#answer(operation, which, how);
        return;
      case 'settle':
        this.#settleDoubt(which);
        return;
      case 'watch':
        for (let left = (how % 4) + 1; left > 0; left -= 1) this.#news.shift()?.();
        return;
      case 'wait':
        this.clock.advance(how * 100);
        this.state.expireDraining(this.clock.nowMs());
        return;
      case 'reshape':
        this.#reshape(pick(nodeNames, which) ?? '', which >> 1, how);
        return;
      default:
        if (pod?.nodeName !== undefined) this.#live(operation, pod, how);
        else if (operation === 'delete' && pod !== undefined && how % 4 === 0) this.#delete(pod);
    }
  }

  #live(operation: 'run' | 'finishInit' | 'end' | 'die' | 'delete', pod: PodObject, how: number): void {
    const over = isOver(pod);
    switch (operation) {
      case 'run':
        if (!over) this.#change({ ...pod, running: true, phase: 'Running' });
        return;
      case 'finishInit':
        if (!over) this.#change({ ...pod, initFinished: true });
        return;
      case 'end':
        if (!over) this.#change({ ...pod, running: false, phase: how % 2 === 0 ? 'Succeeded' : 'Failed' });
        return;
      case 'die':
        // Its node is lost: somebody declares it failed, and its containers run on for a while.
        if (over || !pod.running) return;
        this.#count('died running');
        this.#linger(pod);
        this.#change({ ...pod, phase: 'Failed' });
        return;
      case 'delete':
        this.#delete(pod);
        return;
    }
  }

  #delete(pod: PodObject): void {
    if (pod.running && pod.phase === 'Running') this.#linger(pod);
    this.#count(pod.nodeName === undefined ? 'deleted unbound' : 'deleted bound');
    this.#pods.delete(pod.name);
    this.#news.push(() => {
      this.state.removePod(pod.uid, this.clock.nowMs());
      this.scheduler.forget(pod.uid);
    });
  }

  #linger(pod: PodObject): void {
    this.#lingering.push({ pod, untilMs: this.clock.nowMs() + graceSeconds * 1000 });
  }

  #create(name: string, how: number): void {
    if (this.#pods.has(name)) return;
    this.#created += 1;
    this.#change(podObject({ name, uid: `uid-${this.#created}`, containers: pick(shapes, how) ?? [] }));
  }

  #bind(pod: PodObject, node: string, calls: number): void {
    for (; calls > 0; calls -= 1) {
      const caller = new AbortController();
      this.#callers.add(caller);
      const answer = this.scheduler.bind(bindingArgs(pod, node), caller.signal);
      this.#answers.push(
        answer.then((result) => {
          this.#callers.delete(caller);
          this.#answered(pod, node, result);
        }),
      );
    }
  }

  /** A bind that was answered as done must really be done, as it was answered. */
  #answered(pod: PodObject, node: string, answer: BindAnswer): void {
    this.#count(answer.ok ? 'bound' : answer.code);
    if (!answer.ok) return;
    const now = this.#pods.get(pod.name);
    if (now?.uid !== pod.uid) return;
    const given = answer.allocation.flat().map(({ deviceId }) => deviceId);
    const written = sharesIn(now)
      .flat()
      .map(({ card }) => card);
    if (now.nodeName !== node || given.join() !== written.join()) {
      this.#falseAnswer = `${pod.name} was answered as bound to ${node} (${given.join()}), is ${now.nodeName ?? 'unbound'} (${written.join()})`;
    }
  }

  #answer(how: 'succeed' | 'fail' | 'doubt', which: number, chance: number): void {
    const write = pick([...this.#open], which);
    if (write === undefined) return;
    this.#open.delete(write);
    this.#count(`write: ${how}`);
    if (how === 'fail') {
      write.answer(rejectedOutcome);
      return;
    }
    if (how === 'succeed') {
      write.answer(this.#commit(write) ? { kind: 'bound' } : rejectedOutcome);
      return;
    }
    const { outcome, settle } = unknownOutcome();
    if (chance % 2 === 0) this.#commit(write);
    this.#doubts.push({ write, settle });
    write.answer(outcome);
  }

  /** A Binding: only an unbound pod of that UID takes it, with its annotations; a conflict is resolved by reading. */
  #commit(write: Write): boolean {
    const { command, metadata } = write;
    const { pod, node } = command;
    const now = this.#pods.get(pod.name);
    if (now?.uid === pod.uid && now.nodeName === undefined) {
      this.#change({ ...now, nodeName: node, annotations: { ...now.annotations, ...metadata?.annotations } });
    }
    return this.#isBoundBy(write);
  }

  /** Whether a read of the pod says that the command has done its work; a pod that is over has no work left. */
  #isBoundBy({ command: { pod, node }, metadata }: Write): boolean {
    const now = this.#pods.get(pod.name);
    return (
      now?.uid === pod.uid &&
      !isOver(now) &&
      now.nodeName === node &&
      now.annotations[allocatedAnnotation] === metadata?.annotations[allocatedAnnotation]
    );
  }

  /** The pod is read once the watch has told everything that was before; then what is read is how it is. */
  #settleDoubt(which: number): void {
    const [doubt] = this.#doubts.splice(which % Math.max(1, this.#doubts.length), 1);
    if (doubt === undefined) return;
    while (this.#news.length > 0) this.#news.shift()?.();
    const isBound = this.#isBoundBy(doubt.write);
    this.#count(isBound ? 'doubt: bound' : 'doubt: not');
    doubt.settle(isBound ? 'bound' : 'rejected');
  }

  #change(pod: PodObject): void {
    const next = { ...pod, resourceVersion: String(Number(pod.resourceVersion) + 1) };
    this.#pods.set(pod.name, next);
    this.#news.push(() => this.state.applyPod(next, this.clock.nowMs()));
  }

  #reshape(name: string, which: number, how: number): void {
    this.#nodes.reshape(name, which, { how, usedOf: (id) => usageOf(this.state, name, id) });
    this.#count('reshaped');
    this.state.applyNode(this.#nodes.object(name));
  }

  /** What really runs now: bound pods that are not over, and containers that outlive theirs. */
  #running(): readonly PodObject[] {
    const lingering = this.#lingering.filter(({ untilMs }) => untilMs > this.clock.nowMs());
    return [...this.pods().filter(isBoundNow), ...lingering.map(({ pod }) => pod)];
  }

  #checkKnown(): string | undefined {
    for (const { uid, name, nodeName = '' } of this.#running()) {
      const entry = this.state.entry(uid);
      if (entry?.node !== nodeName) {
        return `${name} (${uid}) runs on ${nodeName}, the ledger says ${entry?.node ?? 'nothing'}`;
      }
    }
    return undefined;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function isBoundNow(pod: PodObject): boolean {
  return pod.nodeName !== undefined && !isOver(pod);
}

function usageOf(state: DeviceState, node: string, deviceId: string): DeviceUsage {
  return state.view(node)?.devices.find(({ device }) => device.id === deviceId)?.used ?? noUsage;
}
