/**
 * The pod annotations with which a user picks cards: by type, by id and by mode (spec §1.11). The same four lists
 * serve every vendor; only the keys differ.
 */
import { parseGoBool } from '../wire/go-values.ts';
import type { TextMap } from '../model/cluster-objects.ts';
import type { Device } from '../model/device.ts';
import type { DeviceSelector } from '../model/request.ts';
import type { VendorAnnotations } from './vendor.ts';

/** The selector in a pod's annotations; undefined when it constrains nothing. */
export function parseSelector(annotations: TextMap, keys: VendorAnnotations): DeviceSelector | undefined {
  const items = (key: string | undefined) => itemsOf(key === undefined ? undefined : annotations[key]);
  const modes = keys.modes === undefined ? undefined : annotations[keys.modes];
  const numa = parseGoBool((keys.numaBound === undefined ? undefined : annotations[keys.numaBound]) ?? '');
  const numaBound = numa.ok && numa.value;
  const selector = {
    useTypes: items(keys.useTypes).map((item) => item.toLowerCase()),
    avoidTypes: items(keys.avoidTypes).map((item) => item.toLowerCase()),
    useIds: items(keys.useIds),
    avoidIds: items(keys.avoidIds),
    ...(modes === undefined ? {} : { modes }),
    numaBound,
  };
  const constrains =
    modes !== undefined ||
    numaBound ||
    [selector.useTypes, selector.avoidTypes, selector.useIds, selector.avoidIds].some(
      (list) => list.length > 0,
    );
  return constrains ? selector : undefined;
}

function itemsOf(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Type and mode: a case-insensitive fragment match, as users write `A100` for `NVIDIA A100-SXM4-40GB`. */
export function acceptsType(selector: DeviceSelector, device: Device): boolean {
  return (
    (selector.modes === undefined || selector.modes.includes(device.mode)) &&
    ((selector.useTypes.length === 0 && selector.avoidTypes.length === 0) ||
      acceptsName(selector, device.type))
  );
}

/** What selectors say of product names: thousands of cards bear the same few. */
const answers = new WeakMap<DeviceSelector, Map<string, boolean>>();
/** Names come from outside; a cluster has far fewer. */
const mostNames = 1000;

function acceptsName(selector: DeviceSelector, name: string): boolean {
  let known = answers.get(selector);
  if (known === undefined) {
    known = new Map<string, boolean>();
    answers.set(selector, known);
  }
  let answer = known.get(name);
  if (answer === undefined) {
    const type = name.toLowerCase();
    answer =
      (selector.useTypes.length === 0 || selector.useTypes.some((fragment) => type.includes(fragment))) &&
      !selector.avoidTypes.some((fragment) => type.includes(fragment));
    if (known.size >= mostNames) known.clear();
    known.set(name, answer);
  }
  return answer;
}

export function acceptsId(selector: DeviceSelector, device: Device): boolean {
  return (
    (selector.useIds.length === 0 || selector.useIds.includes(device.id)) &&
    !selector.avoidIds.includes(device.id)
  );
}
