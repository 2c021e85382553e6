/**
 * The order of the reference planner: which card is asked first (spec §6.3, §6.4), and which of those that fit are linked
 * best (§5.6.1). Every order is a full sort, every choice of several cards tries all of them.
 */
import type { DeviceView } from '../../src/model/node-view.ts';
import type { CardOrderKey } from '../../src/model/request.ts';
import {
  firstRules,
  type HeldShare,
  laterRules,
  needMiB,
  type Question,
  refuses,
  runsBeside,
  shareOf,
  usedWith,
} from './reference-rules.ts';

/** Spec §6.3 and §6.4, the first to be taken first: by the keys of the policy, then the highest index and id. */
export function inOrder(
  cards: readonly DeviceView[],
  { pod, place, wanted, selector, policy }: Question,
  held: readonly HeldShare[],
): readonly DeviceView[] {
  const beside = held.filter((share) => runsBeside(pod, share, place));
  const { slots, cores, memory } = pod.weights ?? { slots: 1, cores: 1, memory: 1 };
  const fullness = (card: DeviceView) => {
    const { device } = card;
    if (device.slots === 0 || device.corePercent === 0 || device.memoryMiB === 0) return 0;
    const used = usedWith(card, beside);
    return (
      10 *
      (slots * ((used.slots + 1) / device.slots) +
        cores * ((used.corePercent + wanted.corePercent) / device.corePercent) +
        memory * ((used.memoryMiB + needMiB(wanted, device)) / device.memoryMiB))
    );
  };
  const rankBy = (key: CardOrderKey, card: DeviceView) =>
    ({
      fullest: -fullness(card),
      emptiest: fullness(card),
      'fewest-sharers': usedWith(card, beside).slots,
      'highest-numa': -card.device.numa,
      'lowest-numa': card.device.numa,
    })[key];
  const order = selector?.numaBound === true ? policy.numaBoundOrder : policy.order;
  return [...cards].sort((a, b) => {
    for (const key of order) {
      const [first, second] = [rankBy(key, a), rankBy(key, b)];
      if (first !== second) return first - second;
    }
    if (a.device.index !== b.device.index) return b.device.index - a.device.index;
    return a.device.id > b.device.id ? -1 : 1;
  });
}

/** Spec §5.6.1, by trying every set there is; the first of the best. */
export function bestLinked(
  ordered: readonly DeviceView[],
  question: Question,
  held: readonly HeldShare[],
): readonly HeldShare[] | undefined {
  const { count } = question.wanted;
  const ask = (card: DeviceView) => ({ ...question, card, held, picks: [], times: count });
  const fitting = ordered.filter(
    (card) => refuses(firstRules, ask(card)) === undefined && refuses(laterRules, ask(card)) === undefined,
  );
  const numas = question.selector?.numaBound === true ? [...new Set(fitting.map(numaOf))] : [undefined];
  let best: readonly DeviceView[] | undefined;
  for (const numa of numas) {
    const group = fitting.filter((card) => numa === undefined || numaOf(card) === numa);
    const choice = count === 1 ? loneliest(group) : closest(group, count);
    if (choice === undefined) continue;
    if (best === undefined || linksWithin(choice) > linksWithin(best)) best = choice;
  }
  return best?.map((card) => shareOf(ask(card)));
}

const numaOf = ({ device }: DeviceView) => device.numa;
const linkOf = (from: DeviceView, to: DeviceView) => from.device.linkScores?.get(to.device.id) ?? 0;

/** The one with the smallest sum of links to the others. */
function loneliest(group: readonly DeviceView[]): readonly DeviceView[] | undefined {
  const sum = (card: DeviceView) =>
    group.filter((other) => other !== card).reduce((total, other) => total + linkOf(card, other), 0);
  const least = Math.min(...group.map(sum));
  const card = group.find((one) => sum(one) === least);
  return card && [card];
}

function closest(group: readonly DeviceView[], count: number): readonly DeviceView[] | undefined {
  const sets = combinations(group, count);
  const most = Math.max(...sets.map(linksWithin));
  return sets.find((set) => linksWithin(set) === most);
}

export function linksWithin(cards: readonly DeviceView[]): number {
  return combinations(cards, 2).reduce((sum, [from, to]) => sum + linkOf(from!, to!), 0);
}

/** Every choice of `count` items, in the order of the items. */
function combinations<T>(items: readonly T[], count: number): readonly (readonly T[])[] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    combinations(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]),
  );
}
