/**
 * Which Ascend 910 chips belong together. The chips of a 910C sit in modules of two, and a container that gets several
 * gets whole modules; those of other 910s are linked in groups (HCCS), and a container's chips should be of as few
 * groups as can be (vendors §2.6, §2.7).
 *
 * The reference takes the largest group first, and among equals any. Here the smallest that has enough is taken, so
 * that large groups stay whole: the container's chips are as close together as there, and the order is total.
 */
import type { Device, DeviceFacts } from '../../model/device.ts';
import type { DeviceRequest } from '../../model/request.ts';
import type { CardPicture, ChosenCards } from '../card-rules.ts';

/** What the plugin says of a chip's links; nothing, unless it is a number. */
export function linkFacts({
  NetworkID: networkId,
}: Readonly<Record<string, unknown>>): DeviceFacts | undefined {
  return typeof networkId === 'number' && Number.isFinite(networkId) ? { networkId } : undefined;
}

/** The chips that fit, best first by policy, to those that a container of a 910C gets; fewer where modules are broken. */
export function chooseModules<C extends CardPicture>(
  fitting: readonly C[],
  { count }: DeviceRequest,
): readonly C[] {
  if (count === 1) return leastMissed(fitting, moduleOf);
  const whole = groupsOf(fitting, moduleOf).filter((chips) => chips.length === chipsPerModule);
  // An odd number is no number of modules; the one left over is refused with its node.
  return whole.slice(0, Math.floor(count / chipsPerModule)).flat();
}

/** The same for other 910s: the smallest group that has enough, else the largest whole and the rest likewise. */
export function chooseLinkGroups<C extends CardPicture>(
  fitting: readonly C[],
  { count }: DeviceRequest,
): readonly C[] {
  if (fitting.some(({ device }) => groupOf(device) === undefined)) return fitting.slice(0, count);
  if (count === 1) return leastMissed(fitting, groupOf);
  const chosen: C[] = [];
  // Equal ones stay in the order in which the policy likes their first chips.
  let groups = groupsOf(fitting, groupOf).sort((a, b) => a.length - b.length);
  while (chosen.length < count && groups.length > 0) {
    const left = count - chosen.length;
    const next = groups.find((chips) => chips.length >= left) ?? largestOf(groups);
    chosen.push(...next.slice(0, left));
    groups = groups.filter((chips) => chips !== next);
  }
  return chosen;
}

/**
 * How close together the chips of each container are: the part of them that is in its largest group, on average. 0 where
 * a plugin does not say so of a chip.
 */
export function compactness(chosen: readonly ChosenCards[]): number {
  let sum = 0;
  for (const { cards } of chosen) {
    if (cards.some(({ device }) => groupOf(device) === undefined)) return 0;
    sum += largestOf(groupsOf(cards, groupOf)).length / cards.length;
  }
  return sum / chosen.length;
}

const chipsPerModule = 2;

type GroupKey = (device: Device) => number | undefined;

/** The plugin numbers a node's chips from 0 without a gap. */
function moduleOf({ index }: Device): number {
  return Math.floor(index / chipsPerModule);
}

function groupOf({ facts }: Device): number | undefined {
  const id = facts?.['networkId'];
  return typeof id === 'number' ? id : undefined;
}

/** In the order of their first chips. */
function groupsOf<C extends CardPicture>(chips: readonly C[], keyOf: GroupKey): C[][] {
  return [...Map.groupBy(chips, ({ device }) => keyOf(device)).values()];
}

/** Of groups of one size the first. */
function largestOf<C>(groups: readonly (readonly C[])[]): readonly C[] {
  return groups.reduce((largest, next) => (next.length > largest.length ? next : largest), []);
}

/** A single chip: of those that the policy likes as well as the first, one whose group is broken most already. */
function leastMissed<C extends CardPicture>(fitting: readonly C[], keyOf: GroupKey): readonly C[] {
  const [first] = fitting;
  if (first === undefined) return [];
  const alike = fitting.filter((chip) => isAsUsed(chip, first));
  const [smallest] = groupsOf(alike, keyOf).sort((a, b) => a.length - b.length);
  return (smallest ?? alike).slice(0, 1);
}

/** Every key by which a policy orders cards is the same for both. */
function isAsUsed({ device, used }: CardPicture, other: CardPicture): boolean {
  return (
    used.slots === other.used.slots &&
    used.memoryMiB === other.used.memoryMiB &&
    used.corePercent === other.used.corePercent &&
    device.slots === other.device.slots &&
    device.memoryMiB === other.device.memoryMiB &&
    device.corePercent === other.device.corePercent &&
    device.numa === other.device.numa
  );
}
