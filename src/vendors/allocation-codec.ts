/**
 * The pod annotations that carry an allocation to the device plugin and back (spec §1.9):
 * `uuid,VENDOR,memMiB,cores:` per device, `;` after every container, init containers first. The encoder always writes
 * one entry per container; the decoder also reads the misaligned layouts of older schedulers (spec Appendix D.3).
 */
import type { Allocation, Share } from '../model/allocation.ts';
import { askedQuantity, type ContainerObject } from '../model/cluster-objects.ts';
import type { ContainerRole } from '../model/container-role.ts';
import type { VendorKey } from '../model/device.ts';
import { countOf } from '../model/quantity.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { isInt32 } from './register.ts';
import type { EntryLayout } from './vendor.ts';

/**
 * The annotation value for one vendor's part of an allocation; undefined when the pod holds nothing of it.
 *
 * @param wordOf the word of a share's entry; the vendor's key where left out
 */
export function encodeAllocation(
  allocation: Allocation,
  vendor: VendorKey,
  wordOf: (share: Share) => string = () => vendor,
): string | undefined {
  const own = allocation.map((shares) => shares.filter((share) => share.vendor === vendor));
  if (own.every((shares) => shares.length === 0)) return undefined;
  return own
    .map((shares) => `${shares.map((share) => encodeShare(share, wordOf(share))).join('')};`)
    .join('');
}

/**
 * The entries that a node's plugin expects. A plugin that counts app containers alone knows none for init containers;
 * where those hold shares they are written all the same, since leaving them out would give them somebody else's.
 */
export function entriesFor(
  allocation: Allocation,
  { roles, vendor, layout }: { roles: readonly ContainerRole[]; vendor: VendorKey; layout: EntryLayout },
): Allocation {
  const firstApp = roles.indexOf('app');
  if (layout === 'all' || firstApp < 0) return allocation;
  const before = allocation.slice(0, firstApp).flat();
  return before.some((share) => share.vendor === vendor) ? allocation : allocation.slice(firstApp);
}

/** The word may be a product name as its driver tells it; nobody reads more of it than that it is there. */
function encodeShare({ deviceId, memoryMiB, corePercent }: Share, word: string): string {
  return `${deviceId},${word.replaceAll(/[,:;]+/g, ' ')},${memoryMiB},${corePercent}:`;
}

/**
 * Entries as written, one per `;`, before anybody knows which container each belongs to. Never throws.
 *
 * @param anyWord entries may have any word, not the vendor's key alone
 */
export function decodeEntries(
  value: string,
  vendor: VendorKey,
  anyWord = false,
): Parsed<readonly (readonly Share[])[]> {
  const entries: Share[][] = [];
  for (const entry of value.split(';')) {
    const shares: Share[] = [];
    for (const piece of entry.split(':')) {
      if (!piece.includes(',')) continue;
      const share = decodeShare(piece, vendor, anyWord);
      if (!share.ok) return share;
      shares.push(share.value);
    }
    entries.push(shares);
  }
  // A value ends in `;`, which leaves one empty entry behind it.
  if (entries.at(-1)?.length === 0) entries.pop();
  return parsed(entries);
}

/** Schedulers up to v2.9 named a MIG instance after its card, e.g. `GPU-a[1-0]`; the share is one of the card. */
const migSuffix = /\[\d+-\d+\]$/;

function decodeShare(piece: string, vendor: VendorKey, anyWord: boolean): Parsed<Share> {
  const [written = '', word, memory = '', cores = ''] = piece.split(',');
  const deviceId = written.replace(migSuffix, '');
  if (word === undefined || cores === '' || memory === '') {
    return unparsable('pod annotation format error, missing fields, do not use nodeName in task spec');
  }
  if (deviceId.trim() === '') return unparsable('empty device id');
  if (!anyWord && word !== vendor)
    return unparsable(`vendor word ${JSON.stringify(word)} instead of ${vendor}`);
  if (!isInt32(memory) || Number(memory) < 0)
    return unparsable(`invalid memory field: ${JSON.stringify(memory)}`);
  if (!isInt32(cores) || Number(cores) < 0) return unparsable(`invalid core field: ${JSON.stringify(cores)}`);
  return parsed({
    deviceId,
    vendor,
    memoryMiB: Number(memory),
    corePercent: Number(cores),
  });
}

/**
 * Assigns decoded entries to a pod's containers. Three layouts exist: one entry per container (ours and the
 * intended one), entries of app containers only (≤ v2.8), and entries with the empty ones lost (v2.10, Q1).
 *
 * @param countResource the resource by which a container asks for this vendor's devices
 */
export function alignEntries(
  entries: readonly (readonly Share[])[],
  containers: readonly ContainerObject[],
  countResource: string,
): Parsed<Allocation> {
  const asking = containers.flatMap((container, index) =>
    countOf(askedQuantity(container, countResource)) > 0 ? [index] : [],
  );
  if (entries.length === containers.length && belongToAsking(entries, asking)) return parsed(entries);

  const allocation: (readonly Share[])[] = containers.map(() => []);
  const filled = entries.filter((entry) => entry.length > 0);
  if (filled.length === asking.length) {
    for (const [order, index] of asking.entries()) allocation[index] = filled[order] ?? [];
    return parsed(allocation);
  }
  const firstApp = containers.findIndex(({ role }) => role === 'app');
  if (firstApp >= 0 && entries.length === containers.length - firstApp) {
    for (const [order, entry] of entries.entries()) allocation[firstApp + order] = entry;
    return parsed(allocation);
  }
  if (entries.length === containers.length) return parsed(entries);
  return unparsable(
    `${filled.length} non-empty entries for ${asking.length} containers that ask for ${countResource}`,
  );
}

/** True when every filled entry stands at a container that asks for devices. */
function belongToAsking(entries: readonly (readonly Share[])[], asking: readonly number[]): boolean {
  return entries.every((entry, index) => entry.length === 0 || asking.includes(index));
}
