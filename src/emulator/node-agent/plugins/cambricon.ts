/**
 * Cambricon's plugin in its mode `dynamic-smlu` (vendors §3). It knows neither HAMi's lock nor its bind phases: it takes
 * the one pod of its node that waits, makes an instance at kubelet's first call for it and says so on the pod at the
 * second, because kubelet calls once per resource. It offers no `cambricon.com/vmlu`, which only schedulers count.
 */
import { type PodObject, podName } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { countOf } from '../../../model/quantity.ts';
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';
import { AllocateError, PluginGoneError, refusal, rethrowBugs } from './allocate-error.ts';
import { CallQueue } from './call-queue.ts';
import { type Cards, numberedCards } from './cards.ts';
import type {
  AllocateAnswer,
  AllocateCall,
  Given,
  NodePlugin,
  OfferedResource,
  PluginHost,
} from './node-plugin.ts';
import { SmluInstances, type SmluProfile } from './smlu-instances.ts';

export interface CambriconDescription {
  readonly family: 'cambricon';
  readonly cards: Cards;
  /** Of each card; 24576 where left out. */
  readonly memoryMiB?: number;
  /** The word in the names of the resources; `mlu` where left out. */
  readonly model?: string;
}

const vendor = 'MLU';
/** The public plugin's own spelling. */
const assignedAnnotation = 'CAMBRICON_DSMLU_ASSIGHED';
const profileAnnotation = 'CAMBRICON_DSMLU_PROFILE';
const instanceAnnotation = 'CAMBRICON_DSMLU_PROFILE_INSTANCE';
const lockAnnotation = 'cambricon.com/dsmlu.lock';
/** As many containers as there are percents of a card. */
const containersPerCard = 100;
const coresPerCard = 100;
/** `--min-dsmlu-unit` */
const unitMiB = 256;
const secondAnswerMs = 1000;

const resourcesOf = ({ model = 'mlu' }: CambriconDescription) => ({
  cores: `cambricon.com/${model}.smlu.vcore`,
  memory: `cambricon.com/${model}.smlu.vmemory`,
});

export function makeCambricon(host: PluginHost, described: () => CambriconDescription): NodePlugin {
  const server = new SmluServer(host, described);
  const devices = () => devicesOf(host.node, described());
  return {
    devices,
    offers: () => offersOf(described(), devices()),
    // Its cards are known by what kubelet counts alone.
    annotations: () => ({}),
    publishMs: () => undefined,
    start: () => server.releaseLock(),
    allocate: (call) => server.allocate(call),
    release: (podUid) => {
      server.release(podUid);
    },
    forget: (pod) => server.forget(pod),
  };
}

function devicesOf(node: string, { cards, memoryMiB = 24_576 }: CambriconDescription): readonly Device[] {
  return numberedCards(cards, { node, kind: 'cambricon', prefix: 'MLU-' }).map(({ id, index, healthy }) => ({
    id,
    vendor,
    index,
    type: vendor,
    slots: containersPerCard,
    memoryMiB,
    corePercent: coresPerCard,
    numa: 0,
    mode: '',
    healthy,
  }));
}

function offersOf(description: CambriconDescription, devices: readonly Device[]): readonly OfferedResource[] {
  if (devices.length === 0) return [];
  const { cores, memory } = resourcesOf(description);
  const healthy = devices.filter((device) => device.healthy);
  const units = (some: readonly Device[]) =>
    some.reduce((sum, { memoryMiB }) => sum + Math.trunc(memoryMiB / unitMiB), 0);
  return [
    { name: cores, capacity: devices.length * coresPerCard, allocatable: healthy.length * coresPerCard },
    { name: memory, capacity: units(devices), allocatable: units(healthy) },
  ];
}

/** A pod between kubelet's two calls. */
interface HalfServed {
  readonly name: string;
  readonly instance: string;
  readonly given: Given;
}

class SmluServer {
  readonly #host: PluginHost;
  readonly #described: () => CambriconDescription;
  readonly #calls = new CallQueue();
  readonly #instances = new SmluInstances();
  #half: HalfServed | undefined;

  constructor(host: PluginHost, described: () => CambriconDescription) {
    this.#host = host;
    this.#described = described;
  }

  allocate(call: AllocateCall): Promise<AllocateAnswer> {
    return this.#calls.run(async () => {
      const behaviour = await this.#host.behaviour.take();
      try {
        const pod = await this.#candidate();
        if (behaviour === 'crash') throw new PluginGoneError();
        if (behaviour === 'fail') throw new AllocateError('told to fail');
        return await this.#serve(pod, call, behaviour === 'answer-twice');
      } catch (error) {
        // Neither the pod nor the lock is touched.
        return refusal(error);
      }
    });
  }

  /** The real plugin looks for instances of pods that are gone now and then. */
  release(podUid: string): void {
    this.#instances.destroyOf(podUid);
  }

  /** A pod that went before it was served keeps the lock no longer. */
  async forget(pod: PodObject): Promise<void> {
    if (this.#waits(pod)) await this.releaseLock().catch(rethrowBugs);
  }

  /** Whoever holds it. */
  async releaseLock(): Promise<void> {
    const { api, node } = this.#host;
    const { annotations } = await api.node(node);
    if (annotations[lockAnnotation] === undefined) return;
    await api.patchNode(node, { metadata: { annotations: { [lockAnnotation]: null } } });
  }

  async #candidate(): Promise<PodObject> {
    const { api, node } = this.#host;
    const pods = await api.podsOf(node);
    const [pod, ...others] = pods.filter((some) => some.phase === 'Pending' && this.#waits(some));
    if (pod === undefined || others.length > 0) {
      this.#half = undefined;
      throw new AllocateError(
        pod === undefined
          ? 'no dynamic smlu candidate pod found'
          : 'number of dynamic smlu candidate pods large than one',
      );
    }
    if (this.#asking(pod).length > 1) {
      throw new AllocateError('number of containers of dynamic smlu candidate pod large than one');
    }
    return pod;
  }

  async #serve(pod: PodObject, call: AllocateCall, twice: boolean): Promise<AllocateAnswer> {
    const half = this.#half;
    this.#half = undefined;
    if (half?.name === pod.name) {
      await this.#tell(pod, half);
      if (twice) {
        this.#host.clock.after(secondAnswerMs, () => {
          // The first answer counts; what becomes of the second is the server's business.
          void this.#tell(pod, half).catch(rethrowBugs);
        });
      }
      return { kind: 'given', ...half.given, oddities: this.#odditiesOf(pod, call) };
    }
    const { profile, card } = this.#profileOf(pod);
    const instance = this.#instances.create(profile, pod.uid);
    const memoryMiB = profile.memoryUnits * unitMiB;
    const share = { vendor, deviceId: card.id, memoryMiB, corePercent: profile.cores };
    const [container] = this.#asking(pod);
    // Only device nodes are handed in; nothing is said in the environment.
    const given: Given = {
      pod,
      ...(container === undefined ? {} : { container }),
      shares: [share],
      instances: [],
      env: {},
    };
    this.#half = { name: pod.name, instance, given };
    return { kind: 'given', ...given, oddities: this.#odditiesOf(pod, call) };
  }

  async #tell(pod: PodObject, { instance }: HalfServed): Promise<void> {
    await this.#host.api.annotatePod(pod, { [assignedAnnotation]: 'true', [instanceAnnotation]: instance });
    await this.releaseLock().catch(rethrowBugs);
  }

  #profileOf(pod: PodObject): { readonly profile: SmluProfile; readonly card: Device } {
    const profile = parseProfile(pod.annotations[profileAnnotation]);
    if (!profile.ok) throw new AllocateError(`pod ${podName(pod)}: ${profile.problem}`);
    const { slot } = profile.value;
    const card = devicesOf(this.#host.node, this.#described()).find(({ index }) => index === slot);
    if (card === undefined) throw new AllocateError(`no card in slot ${slot}`);
    return { profile: profile.value, card };
  }

  #waits(pod: PodObject): boolean {
    return pod.annotations[assignedAnnotation] === 'false' && this.#asking(pod).length > 0;
  }

  /** The app containers with a limit on a resource of the plugin. */
  #asking({ containers }: PodObject): readonly string[] {
    const names = Object.values(resourcesOf(this.#described()));
    return containers
      .filter(({ role, limits }) => role === 'app' && names.some((name) => countOf(limits[name]) > 0))
      .map(({ name }) => name);
  }

  /** The plugin looks at the profile alone, whatever kubelet has counted. */
  #odditiesOf(pod: PodObject, { resource, count }: AllocateCall): readonly string[] {
    const profile = parseProfile(pod.annotations[profileAnnotation]);
    if (!profile.ok) return [];
    const { cores } = resourcesOf(this.#described());
    const given = resource === cores ? profile.value.cores : profile.value.memoryUnits;
    if (given === count) return [];
    return [`pod ${podName(pod)} asked for ${count} of ${resource} and its profile has ${given}`];
  }
}

/** `<slot>_<percent of the card>_<units of its memory>` */
function parseProfile(value: string | undefined): Parsed<SmluProfile> {
  if (value === undefined) return unparsable(`pod annotation ${profileAnnotation} not found`);
  const match = /^(\d{1,5})_(\d{1,5})_(\d{1,9})$/.exec(value);
  if (match === null) return unparsable(`invalid pod annotation ${value}`);
  const [slot = 0, cores = 0, memoryUnits = 0] = match.slice(1).map(Number);
  return parsed({ slot, cores, memoryUnits });
}
