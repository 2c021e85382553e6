/** Node n1 with one device plugin, pods as a scheduler leaves them behind, and kubelet's calls. */
import { AgentApi } from '../../../../src/emulator/node-agent/agent-api.ts';
import { BehaviourSwitch } from '../../../../src/emulator/node-agent/plugin-behaviour.ts';
import {
  type AllocateAnswer,
  type Given,
  type NodePlugin,
  type PluginHost,
} from '../../../../src/emulator/node-agent/plugins/node-plugin.ts';
import type { PodObject } from '../../../../src/model/cluster-objects.ts';
import { makeNodeObject, makePod, type PodFields } from '../../../support/kubernetes-objects.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryApi } from '../memory-api.ts';

const node = '/api/v1/nodes/n1';
export const sharedLock = 'hami.io/mutex.lock';
export const phaseKey = 'hami.io/bind-phase';

export class PluginStage {
  readonly api = new MemoryApi();
  readonly clock = new ManualClock();
  readonly behaviour = new BehaviourSwitch();
  readonly plugin: NodePlugin;

  constructor(make: (host: PluginHost) => NodePlugin) {
    const { clock, behaviour } = this;
    this.plugin = make({ node: 'n1', api: new AgentApi(this.api), clock, behaviour });
    this.annotateNode({});
  }

  /** The node's annotations from now on. */
  annotateNode(annotations: Readonly<Record<string, string>>): void {
    this.api.put(node, makeNodeObject({ annotations }));
  }

  /** Gives the node's lock to a pod of the default namespace. */
  lock(pod: string): void {
    this.annotateNode({ [sharedLock]: `2026-01-01T00:00:00Z,default,${pod}` });
  }

  /** A pod bound to n1 that waits for its devices. */
  bind(name: string, { annotations, ...fields }: PodFields): void {
    this.api.put(
      pathOf(name),
      makePod({
        name,
        nodeName: 'n1',
        ...fields,
        annotations: {
          'hami.io/vgpu-node': 'n1',
          'hami.io/bind-time': '1767225600',
          [phaseKey]: 'allocating',
          ...annotations,
        },
      }),
    );
  }

  allocate(resource: string, count: number, podUid = 'uid-p1', role: 'init' | 'app' = 'app') {
    return this.plugin.allocate({ resource, count, books: { podUid, role } });
  }

  async given(resource: string, count: number): Promise<Given> {
    return required(await this.allocate(resource, count));
  }

  /** The pod as it is now. */
  pod(name: string): Promise<PodObject> {
    return new AgentApi(this.api).pod({ namespace: 'default', name });
  }

  ofPod(name: string, key: string): string | undefined {
    return this.api.annotation(pathOf(name), key);
  }

  ofNode(key: string): string | undefined {
    return this.api.annotation(node, key);
  }

  /** What the plugin publishes, at 2026-01-01T00:00:30Z after half a minute. */
  published() {
    return this.plugin.annotations({
      nowMs: Date.UTC(2026, 0, 1, 0, 0, 30),
      startedMs: Date.UTC(2026, 0, 1),
      random: () => 0.5,
    });
  }
}

export function pathOf(name: string): string {
  return `/api/v1/namespaces/default/pods/${name}`;
}

function required(answer: AllocateAnswer): Given {
  if (answer.kind === 'refused') throw new Error(answer.message);
  return answer;
}
