/**
 * Whether what is written on a bound pod is what the protocol makes of its request: amounts and words of shares, and
 * what a family's plugin reads beside them. The formats are written down here once more, apart from the code under test.
 */
import type { PodObject } from '../../../src/model/cluster-objects.ts';
import { countOf } from '../../../src/model/quantity.ts';
import type { Card, FamilyPart } from './arbitrary-nodes.ts';
import type { Held } from './held-shares.ts';

/** What plugins read beside the allocation says what it says (vendors §2.8, §3.8, §8.8). */
export function tellingFaults({ vendor, cards }: FamilyPart, held: readonly Held[]): readonly string[] {
  const [first] = held;
  if (first === undefined) return [];
  const { annotations, containers } = first.pod;
  const expect = (key: string, due: string) =>
    annotations[key] === due ? [] : [`${key} is ${annotations[key] ?? 'absent'} instead of ${due}`];
  if (vendor === 'MLU') {
    const slot = cards.find(({ id }) => id === first.card)?.index ?? NaN;
    const profile = `${slot}_${first.compute}_${first.memoryMiB / 256}`;
    const flags = ['CAMBRICON_DSMLU_ASSIGNED', 'CAMBRICON_DSMLU_ASSIGHED'];
    return [...expect('CAMBRICON_DSMLU_PROFILE', profile), ...flags.flatMap((flag) => expect(flag, 'false'))];
  }
  if (vendor === 'Metax-SGPU') {
    const parts = containers.map((_, index) =>
      held
        .filter(({ container }) => container === index)
        .map(({ card, compute, memoryMiB }) => {
          const amounts = { compute: compute || undefined, vRam: memoryMiB || undefined };
          return { uuid: card, ...amounts };
        }),
    );
    return expect('metax-tech.com/gpu-devices-allocated', JSON.stringify(parts));
  }
  if (!vendor.startsWith('Ascend')) return [];
  const isSoft = annotations['huawei.com/vnpu-mode'] === 'hami-core';
  const chips = held.map(({ card, memoryMiB, compute }) => ({
    UUID: card,
    temp: isSoft ? undefined : templates[vendor]?.find(({ size }) => size === memoryMiB)?.name,
    memory: memoryMiB,
    core: compute || undefined,
  }));
  return expect(`huawei.com/${vendor}`, JSON.stringify(chips));
}

/** Shares that are not what the protocol makes of the request, or are called something else. */
export function amountFaults(
  { vendor, word = vendor, cards }: FamilyPart,
  held: readonly Held[],
): readonly string[] {
  return held.flatMap((one) => {
    const card = cards.find(({ id }) => id === one.card);
    const limits = one.pod.containers[one.container]?.limits;
    if (card === undefined || limits === undefined) return [];
    const isOnline = one.pod.annotations['metax-tech.com/sgpu-app-class'] === 'online';
    const isSoft = one.pod.annotations['huawei.com/vnpu-mode'] === 'hami-core';
    const [memoryMiB, compute] = dueOf(vendor, limits, { card, isSoft });
    const due = `${one.card},${word},${memoryMiB},${isOnline && vendor === 'Metax-SGPU' ? 0 : compute}`;
    const written = `${one.card},${one.word},${one.memoryMiB},${one.compute}`;
    return due === written ? [] : [`${written} instead of ${due}`];
  });
}

/** MiB and compute of one share (vendors §2.5, §3.5, §4.5, §7.5, §8.5, §14.6). */
function dueOf(
  vendor: string,
  limits: PodObject['containers'][number]['limits'],
  { card, isSoft }: { readonly card: Card; readonly isSoft: boolean },
): readonly number[] {
  const of = (resource: string) => (limits[resource] === undefined ? undefined : countOf(limits[resource]));
  const upTo100 = (percent: number) => Math.min(100, percent);
  switch (vendor) {
    case 'NVIDIA':
      return [of('nvidia.com/gpumem') ?? card.memoryMiB, upTo100(of('nvidia.com/gpucores') ?? 0)];
    case 'DCU':
      return [of('hygon.com/dcumem') ?? card.memoryMiB, upTo100(of('hygon.com/dcucores') ?? 100)];
    case 'MLU': {
      const [memory, cores] = ['vmemory', 'vcore'].map((name) => of(`cambricon.com/mlu.smlu.${name}`) ?? 0);
      return [256 * (memory ?? 0), upTo100(cores ?? 0)];
    }
    case 'Metax-GPU':
      return [65_536, 100];
    case 'Metax-SGPU': {
      const amounts: Readonly<Record<string, number>> = { '4': 4096, '2048Mi': 2048, '4G': 3814 };
      return [
        amounts[limits['metax-tech.com/vmemory'] ?? ''] ?? card.memoryMiB,
        of('metax-tech.com/vcore') ?? 100,
      ];
    }
    case 'AMD': {
      const units = Math.floor((card.compute * (of('amd.com/gpucores') ?? 100)) / 100);
      return [of('amd.com/gpumem') ?? card.memoryMiB, Math.max(1, units)];
    }
    default:
      return [
        chipMemoryOf(vendor, of(`huawei.com/${vendor}-memory`), isSoft),
        of(`huawei.com/${vendor}-core`) ?? 0,
      ];
  }
}

interface Template {
  readonly name?: string;
  readonly size: number;
}

const ofB3: readonly Template[] = [
  { name: 'vir05_1c_16g', size: 16_384 },
  { name: 'vir10_3c_32g', size: 32_768 },
  { size: 65_536 },
];

/** The templates into which chips are cut, in MiB, and the whole chip (vendors §2.1). */
const templates: Readonly<Record<string, readonly Template[]>> = {
  Ascend910B3: ofB3,
  Ascend910B4: [
    { name: 'vir05_1c_8g', size: 8192 },
    { name: 'vir10_3c_16g', size: 16_384 },
    { size: 32_768 },
  ],
  Ascend910C: ofB3,
  Ascend310P: [
    { name: 'vir01', size: 3072 },
    { name: 'vir02', size: 6144 },
    { name: 'vir04', size: 12_288 },
    { size: 21_527 },
  ],
};

/** A cut chip gives the smallest template that is large enough, the last of them the whole chip. */
function chipMemoryOf(chip: string, asked: number | undefined, isSoft: boolean): number {
  const sizes = (templates[chip] ?? []).map(({ size }) => size);
  const whole = sizes.at(-1) ?? NaN;
  if (asked === undefined) return whole;
  return isSoft ? asked : (sizes.find((size) => size >= asked) ?? whole);
}
