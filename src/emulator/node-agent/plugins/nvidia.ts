/**
 * NVIDIA's plugin (spec §1.2 to §1.4, §1.9, §1.10, §7.3): cards in parts, or MIG instances that it makes as the
 * scheduler has reserved them. It differs by age, as `plugin-version.ts` tells.
 */
import type { Share } from '../../../model/allocation.ts';
import { type PodObject, podName, type TextMap } from '../../../model/cluster-objects.ts';
import { isCut } from '../../../model/mig.ts';
import { instanceEnvironment, sharedCardEnvironment } from '../container-environment.ts';
import { formatHandshake, handshakePeriodMs } from '../handshake.ts';
import { formatLinkScores } from '../link-scores.ts';
import { type LiveInstance, MigInstances } from '../mig-instances.ts';
import { realise } from '../mig-realisation.ts';
import { devicesOf, type NodeDescription } from '../node-description.ts';
import { nvidiaFamily } from '../plugin-family.ts';
import { type PluginTraits, traitsOf } from '../plugin-version.ts';
import { formatRegister, shuffled } from '../register-annotation.ts';
import { parseReservations } from '../reservation-annotation.ts';
import { takeEntry } from '../to-allocate.ts';
import { AllocateError, PluginGoneError } from './allocate-error.ts';
import { LockServer, type ServedContainer } from './lock-server.ts';
import { type NodePlugin, type PluginHost, type Publication, slotsOf } from './node-plugin.ts';

const family = nvidiaFamily;

export function makeNvidia(host: PluginHost, described: () => NodeDescription): NodePlugin {
  const allocator = new NvidiaAllocator(host, described);
  const server = new LockServer(host, {
    waitingPhases: () => traitsOf(described().plugin?.version).waitingPhases,
    serve: (pod, count) => allocator.serve(pod, count),
  });
  const devices = () => devicesOf(described(), family.vendor);
  return {
    devices,
    offers: () => slotsOf(family.countResource, devices()),
    annotations: (publication) => annotationsOf(described(), publication),
    publishMs: () => (traitsOf(described().plugin?.version).writesHandshake ? handshakePeriodMs : undefined),
    allocate: (call) => server.allocate(call),
    adopt: (pod) => {
      allocator.adopt(pod);
    },
    release: (podUid) => {
      allocator.release(podUid);
    },
  };
}

function annotationsOf(description: NodeDescription, { nowMs, startedMs, random }: Publication): TextMap {
  const { plugin = {} } = description;
  const devices = shuffled(devicesOf(description, family.vendor), random);
  if (devices.length === 0) return {};
  return {
    [family.registerAnnotation]: formatRegister(devices, plugin.version),
    ...(plugin.publishesLinkScores === true
      ? { [family.linkScoreAnnotation]: formatLinkScores(devices) }
      : {}),
    ...(traitsOf(plugin.version).writesHandshake
      ? { [family.handshakeAnnotation]: formatHandshake(nowMs, startedMs) }
      : {}),
  };
}

class NvidiaAllocator {
  readonly #host: PluginHost;
  readonly #described: () => NodeDescription;
  readonly #instances = new MigInstances();

  constructor(host: PluginHost, described: () => NodeDescription) {
    this.#host = host;
    this.#described = described;
  }

  /** The pod's containers have ended: its MIG instances go. The real plugin finds out by itself. */
  release(podUid: string): void {
    this.#instances.destroyOf(podUid);
  }

  /** A pod that ran before this plugin: the MIG instances that its annotation tells of exist. */
  adopt({ uid: podUid, annotations }: PodObject): void {
    const written = parseReservations(annotations[family.reservationAnnotation] ?? '[]');
    for (const { made, ...planned } of written.ok ? written.value : []) {
      if (made !== undefined) this.#instances.adopt({ ...planned, ...made, podUid });
    }
  }

  async serve(pod: PodObject, count: number): Promise<ServedContainer> {
    const { api } = this.#host;
    const value = pod.annotations[family.toAllocateAnnotation];
    if (value === undefined)
      throw new AllocateError(`pod ${podName(pod)} has no ${family.toAllocateAnnotation}`);
    const taken = takeEntry(value, family.vendor);
    if (!taken.ok) throw new AllocateError(taken.problem);
    const { index, shares, erased } = taken.value;
    const position = this.#positionOf(index, pod);
    const container = pod.containers[position];
    if (container === undefined) {
      // A plugin that knows app containers alone dies of it.
      if (this.#traits().entriesOf === 'app-containers') throw new PluginGoneError();
      throw new AllocateError(`container index ${index} out of range`);
    }
    if (shares.length !== count) {
      throw new AllocateError(`device number not matched: ${shares.length} written, ${count} asked`);
    }
    const made = await this.#make(pod, position, shares);
    await api.annotatePod(pod, { [family.toAllocateAnnotation]: erased });
    const left = (await api.pod(pod)).annotations[family.toAllocateAnnotation] ?? '';
    return {
      gift: { pod, container: container.name, shares, ...made },
      isLast: !left.includes(family.vendor),
    };
  }

  /** Where the container of an entry stands among all. */
  #positionOf(index: number, { containers }: PodObject): number {
    const countsAll = this.#traits().entriesOf === 'all-containers';
    return countsAll ? index : index + containers.filter(({ role }) => role !== 'app').length;
  }

  /** What the container gets for its entry: parts of cards as they are, or instances that are made now. */
  async #make(
    pod: PodObject,
    containerIndex: number,
    shares: readonly Share[],
  ): Promise<{ readonly instances: readonly LiveInstance[]; readonly env: TextMap }> {
    const description = this.#described();
    const devices = devicesOf(description, family.vendor);
    const isMig = devices.some(
      (device) => isCut(device) && shares.some(({ deviceId }) => deviceId === device.id),
    );
    if (!isMig) {
      return { instances: [], env: sharedCardEnvironment(shares, description.plugin?.memoryScaling ?? 1) };
    }
    if (!this.#traits().makesReservedInstances) {
      throw new AllocateError('a plugin of this age makes no reserved MIG instances');
    }
    const reservations = pod.annotations[family.reservationAnnotation];
    if (reservations === undefined) {
      throw new AllocateError(`pod ${podName(pod)} has no ${family.reservationAnnotation}`);
    }
    const container = { podUid: pod.uid, containerIndex, shares, reservations };
    const realised = realise(container, devices, this.#instances);
    if (!realised.ok) throw new AllocateError(realised.problem);
    const { instances } = realised.value;
    // Once, without looking again: whoever has changed the pod meanwhile makes it fail, as with the real plugin.
    await this.#host.api.annotateVersion(pod, {
      [family.reservationAnnotation]: realised.value.reservations,
    });
    return { instances, env: instanceEnvironment(instances) };
  }

  #traits(): PluginTraits {
    return traitsOf(this.#described().plugin?.version);
  }
}
