/**
 * What bound pods hold of the cards of a node, judged by the protocol's own rules. It shares nothing with the code that
 * plans and charges.
 */
import type { PodJson } from '../../support/kubernetes-objects.ts';
import type { Card, FamilyNode, FamilyPart } from './arbitrary-nodes.ts';
import { type Held, heldOf, worstOf } from './held-shares.ts';
import { amountFaults, tellingFaults } from './written-faults.ts';

/** What must not be, a sentence each. */
export function faultsOf({ parts }: FamilyNode, pods: readonly PodJson[]): readonly string[] {
  const ofParts = parts.flatMap((part) => {
    const byPod = pods.map((raw) => heldOf(raw, part.vendor)).filter((held) => held.length > 0);
    const known = new Set(part.cards.map(({ id }) => id));
    const strange = byPod.flat().filter(({ card }) => !known.has(card));
    return [
      ...strange.map(({ card }) => `there is no card ${card} of ${part.vendor}`),
      ...part.cards.flatMap((card) => [
        ...overCommitted(card, byPod),
        ...conflicts(part, card, byPod.flat()),
      ]),
      ...byPod.flatMap((held) => [
        ...containerFaults(part, held),
        ...amountFaults(part, held),
        ...tellingFaults(part, held),
      ]),
    ];
  });
  const vendors = parts.map(({ vendor }) => vendor);
  return [...ofParts, ...pods.flatMap((raw) => lockFaults(raw, vendors))];
}

function overCommitted(card: Card, byPod: readonly (readonly Held[])[]): readonly string[] {
  const own = byPod.map((held) => held.filter((one) => one.card === card.id));
  const sum = (amountOf: (one: Held) => number) =>
    own.reduce((total, held) => total + worstOf(held, amountOf), 0);
  const used = {
    slots: sum(() => 1),
    memoryMiB: sum(({ memoryMiB }) => memoryMiB),
    compute: sum(({ compute }) => compute),
  };
  return (['slots', 'memoryMiB', 'compute'] as const)
    .filter((dimension) => used[dimension] > card[dimension])
    .map((dimension) => `${card.id}: ${used[dimension]} of ${card[dimension]} ${dimension}`);
}

/** What may not be on one card at once. Init containers have ended before others begin, so they conflict with none. */
function conflicts({ vendor, soft }: FamilyPart, card: Card, held: readonly Held[]): readonly string[] {
  const here = held.filter((one) => one.card === card.id && one.role !== 'init');
  const wordsOf = (word: (one: Held) => string) => new Set(here.map(word));
  const faults: string[] = [];
  if (here.length > 0 && !card.healthy) faults.push(`${card.id} is ill`);
  if (vendor.startsWith('Ascend')) {
    const modes = wordsOf(({ pod }) => String(pod.annotations['huawei.com/vnpu-mode'] === 'hami-core'));
    if (modes.size > 1) faults.push(`${card.id} is cut and sliced`);
    if (modes.has('true') && soft !== true) faults.push(`${card.id} cannot be sliced softly`);
  } else if (vendor === 'Metax-SGPU') {
    const classOf = ({ pod }: Held) => pod.annotations['metax-tech.com/sgpu-app-class'] ?? '';
    if (wordsOf((one) => String(classOf(one) !== '')).size > 1)
      faults.push(`${card.id} has pods with and without a class`);
    const policies = here
      .filter((one) => classOf(one) !== 'online' && one.compute < 100)
      .map(({ pod }) => pod.annotations['metax-tech.com/sgpu-qos-policy']);
    if (policies.includes(undefined)) faults.push(`${card.id} has a pod whose policy its plugin cannot know`);
    if (new Set(policies).size > 1) faults.push(`${card.id} has several policies: ${policies.join()}`);
  } else if (vendor !== 'AMD' && here.length > 1 && here.some(({ compute }) => compute === 100)) {
    if (card.compute === 100) faults.push(`${card.id} is shared though somebody has all of it`);
  }
  return faults;
}

/** The plugins of these serve one container of a pod (vendors §2.8, §3.8, §14.11). */
const servesOne = /^(MLU|AMD|Ascend.*)$/;

/** A container has each of its cards once, and of a 910C both chips of a module where it has several. */
function containerFaults({ vendor, cards }: FamilyPart, held: readonly Held[]): readonly string[] {
  const faults: string[] = [];
  if (servesOne.test(vendor) && new Set(held.map(({ container }) => container)).size > 1)
    faults.push(`several containers of a pod have cards of ${vendor}`);
  for (const own of Map.groupBy(held, ({ container }) => container).values()) {
    const ids = own.map(({ card }) => card);
    if (new Set(ids).size !== ids.length) faults.push(`a container has a card twice: ${ids.join()}`);
    if (vendor !== 'Ascend910C' || ids.length < 2) continue;
    const modules = ids.map((id) => Math.floor((cards.find((card) => card.id === id)?.index ?? 0) / 2));
    const chipsOf = Map.groupBy(modules, (module) => module);
    if ([...chipsOf.values()].some((chips) => chips.length !== 2))
      faults.push(`modules are broken: ${ids.join()}`);
  }
  return faults;
}

/** The plugins that wait for the one lock of a node, and of them those that find a pod without it, too. */
const waitsForLock = /^(NVIDIA|DCU|AMD|Metax-SGPU|Ascend.*)$/;
const findsPodsWithout = /^(NVIDIA|Ascend.*)$/;

/** Families that cannot be served in one pod, because the first gives up what the next waits for. */
function lockFaults(raw: PodJson, vendors: readonly string[]): readonly string[] {
  const waiting = vendors.filter((vendor) => waitsForLock.test(vendor) && heldOf(raw, vendor).length > 0);
  const isStuck = waiting.length > 1 && waiting.some((vendor) => !findsPodsWithout.test(vendor));
  return isStuck ? [`a pod has cards of ${waiting.join(' and ')}`] : [];
}
