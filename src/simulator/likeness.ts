/**
 * Numbers for pictures of nodes, equal for nodes that differ by their names and the ids of their cards alone: a planner
 * says the same of them. A cluster has many such nodes, and telling so is far quicker than planning on each.
 */
import type { Device } from '../model/device.ts';
import type { DeviceView, NodeView } from '../model/node-view.ts';

/** Pictures beyond this many make the first ones forgotten; their numbers are not given again. */
const mostPictures = 100_000;

export class Likenesses {
  readonly #byText = new Map<string, number>();
  /** By device: what it is apart from its id, in short; undefined where ids say how devices are linked. */
  readonly #deviceTexts = new WeakMap<Device, string | undefined>();
  readonly #devices = new Map<string, number>();
  #next = 0;

  /**
   * Undefined for a node that is like no other.
   *
   * @param rest what else is known of the node and must be equal
   */
  of(view: NodeView, rest = ''): number | undefined {
    const cards = this.#textOf(view);
    if (cards === undefined) return undefined;
    const text = `${rest}|${cards}`;
    let number = this.#byText.get(text);
    if (number === undefined) {
      if (this.#byText.size >= mostPictures) this.#byText.clear();
      number = this.#next += 1;
      this.#byText.set(text, number);
    }
    return number;
  }

  #textOf({ devices, countFree, hostFree, unavailable }: NodeView): string | undefined {
    let text = `${hostFree.cpuMilli}/${hostFree.memoryMiB}/${hostFree.pods}`;
    for (const [resource, free] of countFree) text += `/${resource}=${free}`;
    if (unavailable.size > 0) text += JSON.stringify([...unavailable]);
    for (const entry of devices) {
      const device = this.#deviceText(entry.device);
      if (device === undefined) return undefined;
      const { slots, memoryMiB, corePercent } = entry.used;
      text += `;${device}/${slots}/${memoryMiB}/${corePercent}${isPlain(entry) ? '' : restOf(entry)}`;
    }
    return text;
  }

  #deviceText(device: Device): string | undefined {
    if (this.#deviceTexts.has(device)) return this.#deviceTexts.get(device);
    let text: string | undefined;
    if (device.linkScores === undefined) {
      const written = JSON.stringify({ ...device, id: '' });
      const number = this.#devices.get(written) ?? this.#devices.size;
      this.#devices.set(written, number);
      text = `${number}`;
    }
    this.#deviceTexts.set(device, text);
    return text;
  }
}

function isPlain({ withheld, cordoned, unclear, occupied, kinds }: DeviceView): boolean {
  return !withheld && !cordoned && !unclear && occupied.length === 0 && kinds.length === 0;
}

function restOf({ withheld, cordoned, unclear, occupied, kinds }: DeviceView): string {
  return JSON.stringify([withheld, cordoned, unclear, occupied, kinds]);
}
