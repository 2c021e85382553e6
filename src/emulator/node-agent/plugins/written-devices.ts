/**
 * The allocation annotation as the plugins of DCUs and AMD GPUs read and rewrite it (vendors §1.9, §4.8, §14.8): entries
 * of containers without devices are dropped while decoding, and the one that was served stays behind as an empty one.
 * Written without the scheduler's codec, so that a mistake of one is not made by both, and by the letter of the format,
 * where the real plugins let some of it pass.
 */
import type { PodObject } from '../../../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';

export interface WrittenDevice {
  readonly id: string;
  /** The family's word, or the product's name. */
  readonly word: string;
  readonly memoryMiB: number;
  /** In the units of the family. */
  readonly cores: number;
}

export interface TakenDevices {
  readonly devices: readonly WrittenDevice[];
  /** The value that the plugin writes back. */
  readonly erased: string;
}

const entryFormat = /^(?:[^,:;]+,[^,:;]+,\d{1,10},\d{1,10}:)*$/;

/** Takes the first entry with devices. Refuses a value of another form and one without such an entry. */
export function takeDevices(value: string): Parsed<TakenDevices> {
  const entries = readEntries(value);
  if (!entries.ok) return entries;
  const [first, ...others] = entries.value.filter((entry) => entry !== '');
  if (first === undefined) return unparsable('device request not found');
  return parsed({ devices: devicesOf(first), erased: ['', ...others].map((entry) => `${entry};`).join('') });
}

/**
 * For which container the scheduler wrote the entry that is served next. It can only be told from both annotations,
 * since serving loses the positions.
 *
 * @param allocated the annotation that the plugin does not touch
 */
export function containerServedNext(
  { containers }: PodObject,
  allocated: string,
  toAllocate: string,
): Parsed<string> {
  const all = readEntries(allocated);
  if (!all.ok) return all;
  const left = readEntries(toAllocate);
  if (!left.ok) return left;
  const positions = all.value.flatMap((entry, position) => (entry === '' ? [] : [position]));
  const waiting = left.value.filter((entry) => entry !== '').length;
  const position = positions[positions.length - waiting];
  const container = position === undefined ? undefined : containers[position];
  return container === undefined ? unparsable('no container has this entry') : parsed(container.name);
}

/** The text of each container's entry, without its `;`. */
function readEntries(value: string): Parsed<readonly string[]> {
  if (!value.endsWith(';')) return unparsable(`allocation ${JSON.stringify(value)} does not end with ";"`);
  const entries = value.slice(0, -1).split(';');
  const wrong = entries.find((entry) => !entryFormat.test(entry));
  return wrong === undefined
    ? parsed(entries)
    : unparsable(`entry ${JSON.stringify(wrong)} has another form`);
}

function devicesOf(entry: string): readonly WrittenDevice[] {
  return entry
    .split(':')
    .slice(0, -1)
    .map((device) => {
      const [id = '', word = '', memory, cores] = device.split(',');
      return { id, word, memoryMiB: Number(memory), cores: Number(cores) };
    });
}
