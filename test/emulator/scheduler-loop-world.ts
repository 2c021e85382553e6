/** The scheduler loop between an embedded API and a scripted extender, on a clock that stands still. */
import { startEmulator, type Emulator } from '../../src/emulator/api/server.ts';
import type { ApiObject } from '../../src/emulator/api/api-object.ts';
import { listAt, textAt } from '../../src/emulator/api/json.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { SchedulerLoop } from '../../src/emulator/scheduler-loop/scheduler-loop.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedExtender } from './scripted-extender.ts';

export const schedulerName = 'tessera-scheduler';
const namespacePath = '/api/v1/namespaces/default';

export class LoopWorld {
  readonly emulator: Emulator;
  readonly extender: ScriptedExtender;
  readonly loop: SchedulerLoop;
  /** The loop's own; the API goes by the machine's. */
  readonly clock = new ManualClock();
  /** What the loop takes for chance. */
  chance = 0;
  readonly #client: RestClient;

  private constructor(emulator: Emulator, extender: ScriptedExtender) {
    this.emulator = emulator;
    this.extender = extender;
    this.#client = new RestClient({ access: openAccess(emulator.url), clock: systemClock, version: 'test' });
    this.loop = new SchedulerLoop({
      client: this.#client,
      settings: {
        schedulerName,
        extender: {
          urlPrefix: extender.url,
          filterVerb: 'filter',
          prioritizeVerb: 'prioritize',
          bindVerb: 'bind',
          weight: 5,
          httpTimeoutMs: 30_000,
          managedResources: [
            { name: 'nvidia.com/gpu', ignoredByScheduler: false },
            { name: 'nvidia.com/gpumem', ignoredByScheduler: true },
          ],
        },
      },
      clock: this.clock,
      random: () => this.chance,
      log: makeLogger({ level: 'silent' }),
    });
  }

  static async make(): Promise<LoopWorld> {
    const emulator = await startEmulator({ clock: systemClock, random: seededRandom(1) });
    return new LoopWorld(emulator, await ScriptedExtender.start());
  }

  async close(): Promise<void> {
    await this.loop.stop();
    this.#client.close();
    await this.extender.close();
    await this.emulator.close();
  }

  async addNode(name: string, fields: NodeFields = {}): Promise<void> {
    const { labels = {}, allocatable = {}, taints = [], unschedulable = false } = fields;
    await this.#call('POST', '/api/v1/nodes', {
      metadata: { name, labels },
      spec: { taints, unschedulable },
      status: {
        capacity: { cpu: '4', memory: '8Gi', pods: '10', 'nvidia.com/gpu': '10', ...allocatable },
        conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
      },
    });
    // No kubelet is there to take the taint of a new node away.
    await this.#call('PATCH', `/api/v1/nodes/${name}`, { spec: { taints } });
  }

  async patchNode(name: string, patch: object, part = ''): Promise<void> {
    await this.#call('PATCH', `/api/v1/nodes/${name}${part}`, patch);
  }

  /** A pod that asks for one card, except for what the fields say. */
  async addPod(name: string, fields: PodFields = {}): Promise<void> {
    const { requests = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '1000' }, spec = {} } = fields;
    await this.#call('POST', `${namespacePath}/pods`, {
      metadata: { name },
      spec: {
        schedulerName: fields.schedulerName ?? schedulerName,
        containers: [{ name: 'main', image: 'none', resources: { limits: requests } }],
        ...spec,
      },
    });
  }

  /** Binds as an extender does. */
  async bind(name: string, node: string): Promise<void> {
    await this.#call('POST', `${namespacePath}/pods/${name}/binding`, {
      metadata: { name },
      target: { kind: 'Node', name: node },
    });
  }

  /** The pod's containers have ended, as kubelet reports it. */
  async endPod(name: string): Promise<void> {
    await this.#call('PATCH', `${namespacePath}/pods/${name}/status`, { status: { phase: 'Succeeded' } });
  }

  async deletePod(name: string): Promise<void> {
    await this.#call('DELETE', `${namespacePath}/pods/${name}`, { gracePeriodSeconds: 0 });
  }

  /** The pod as soon as it satisfies the condition. */
  pod(name: string, isReached: (pod: ApiObject) => boolean): Promise<ApiObject> {
    return this.#until('pods', () => {
      const pod = this.emulator.store.collection('pods').find(`default/${name}`);
      return pod !== undefined && isReached(pod) ? pod : undefined;
    });
  }

  /** Resolves once the loop has told that the pod is bound, which is the last that it does about it. */
  async scheduled(name: string): Promise<void> {
    await this.#until('events', () => this.eventsOf(name).find((event) => event.startsWith('Scheduled')));
  }

  /** The pod's condition as soon as it says that the last attempt failed. */
  async refusal(name: string, isMeant: (message: string) => boolean = () => true) {
    const conditionOf = (pod: ApiObject) =>
      listAt(pod, 'status', 'conditions').find((entry) => textAt(entry, 'type') === 'PodScheduled');
    const pod = await this.pod(name, (found) => {
      const condition = conditionOf(found);
      return textAt(condition, 'status') === 'False' && isMeant(textAt(condition, 'message'));
    });
    const condition = conditionOf(pod);
    return { reason: textAt(condition, 'reason'), message: textAt(condition, 'message') };
  }

  /** `reason: message` of the pod's events so far. */
  eventsOf(name: string): readonly string[] {
    const { store } = this.emulator;
    return (store.collection('events').at(store.version) ?? [])
      .filter((event) => textAt(event, 'involvedObject', 'name') === name)
      .map((event) => `${textAt(event, 'reason')}: ${textAt(event, 'message')}`);
  }

  #until<T>(collectionName: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        stop();
        resolve(found);
      };
      const stop = this.emulator.store.collection(collectionName).subscribe(check);
      check();
    });
  }

  async #call(method: 'POST' | 'PATCH' | 'DELETE', path: string, body: object): Promise<void> {
    const result = await this.#client.request(
      method === 'PATCH'
        ? { method, path, body, timeoutMs: 5000, contentType: 'application/strategic-merge-patch+json' }
        : { method, path, body, timeoutMs: 5000 },
    );
    if (result.kind !== 'ok') throw new Error(`${method} ${path}: ${result.message}`);
  }
}

export interface NodeFields {
  readonly labels?: Readonly<Record<string, string>>;
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly taints?: readonly object[];
  readonly unschedulable?: boolean;
}

export interface PodFields {
  readonly schedulerName?: string;
  readonly requests?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** A promise and the way to keep it. */
export function latch<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
