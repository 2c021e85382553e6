/**
 * Random nodes with cards of any families, each published as its plugin does. What is published is made of plain cards,
 * which a judge can look at without the code that reads the publication.
 */
import fc from 'fast-check';
import type { NodeFields } from '../../support/kubernetes-objects.ts';

type Texts = Readonly<Record<string, string>>;

/** A card in its plugin's own numbers; compute is what its shares are counted in. */
export interface Card {
  readonly id: string;
  readonly index: number;
  readonly slots: number;
  readonly memoryMiB: number;
  readonly compute: number;
  readonly healthy: boolean;
  /** Link group, link zone or NUMA node. */
  readonly group: number;
}

/** The cards of one family on a node. */
export interface FamilyPart {
  readonly vendor: string;
  /** What an allocation calls its cards; the vendor's key where left out. */
  readonly word?: string;
  readonly cards: readonly Card[];
  /** Chips that are sliced softly. */
  readonly soft?: boolean;
  /** What the node says of them, listed in this order. */
  readonly publish: (cards: readonly Card[]) => Pick<NodeFields, 'annotations' | 'allocatable' | 'labels'>;
}

export interface FamilyNode {
  readonly name: string;
  readonly parts: readonly FamilyPart[];
}

/** @param order the order in which each plugin lists its cards; that of their numbers where left out */
export function nodeFields(
  { name, parts }: FamilyNode,
  order: (cards: readonly Card[]) => readonly Card[] = (cards) => cards,
): NodeFields {
  const published = parts.map(({ publish, cards }) => publish(order(cards)));
  const joined = (of: (part: (typeof published)[number]) => Texts | undefined): Texts =>
    Object.assign({}, ...published.map((part) => of(part) ?? {})) as Texts;
  return {
    name,
    annotations: joined(({ annotations }) => annotations),
    allocatable: joined(({ allocatable }) => allocatable),
    labels: joined(({ labels }) => labels),
  };
}

const healthy = fc.constantFrom(true, true, true, true, true, false);
const group = fc.constantFrom(0, 1, 1, 2);

/** One to four cards alike, but for their health and their group. */
function cards(
  prefix: string,
  amounts: fc.Arbitrary<Pick<Card, 'slots' | 'memoryMiB' | 'compute'>>,
): fc.Arbitrary<readonly Card[]> {
  const each = fc.array(fc.record({ healthy, group }), { minLength: 1, maxLength: 4 });
  return fc
    .tuple(amounts, each)
    .map(([alike, several]) =>
      several.map((own, index) => ({ id: `${prefix}${index}`, index, ...alike, ...own })),
    );
}

const slotsOf = (all: readonly Card[]) => String(all.reduce((sum, { slots }) => sum + slots, 0));

/** HAMi's JSON register, which leaves out zero and false. */
function register(all: readonly Card[], type: string, custom: (card: Card) => object): string {
  return JSON.stringify(
    all.map((card) => ({
      id: card.id,
      ...(card.index === 0 ? {} : { index: card.index }),
      count: card.slots,
      devmem: card.memoryMiB,
      devcore: card.compute,
      type,
      ...(card.healthy ? { health: true } : {}),
      ...custom(card),
    })),
  );
}

const nvidia: fc.Arbitrary<FamilyPart> = cards(
  'GPU-',
  fc.record({
    slots: fc.constantFrom(1, 4, 10),
    memoryMiB: fc.constantFrom(8192, 24_576),
    compute: fc.constantFrom(100, 100, 150),
  }),
).map((own) => ({
  vendor: 'NVIDIA',
  cards: own,
  publish: (listed) => ({
    annotations: {
      'hami.io/node-nvidia-register': register(listed, 'NVIDIA A10', ({ group: numa }) => ({ numa })),
    },
    allocatable: { 'nvidia.com/gpu': slotsOf(own) },
  }),
}));

const hygon: fc.Arbitrary<FamilyPart> = cards(
  'DCU-T6N',
  fc.record({ slots: fc.constant(4), memoryMiB: fc.constant(32_752), compute: fc.constant(100) }),
).map((own) => ({
  vendor: 'DCU',
  cards: own,
  publish: (listed) => ({
    annotations: {
      'hami.io/node-dcu-register': listed
        .map(
          ({ id, slots, memoryMiB, compute, healthy: isWell, index }) =>
            `${id},${slots},${memoryMiB},${compute},DCU-K100_AI,0,${isWell},${index},hami:`,
        )
        .join(''),
    },
    allocatable: { 'hygon.com/dcunum': slotsOf(own) },
  }),
}));

const amd: fc.Arbitrary<FamilyPart> = fc
  .tuple(
    cards(
      '66ff74a1-',
      fc.record({
        slots: fc.constantFrom(2, 10),
        memoryMiB: fc.constantFrom(16_384, 196_288),
        compute: fc.constantFrom(304, 100, 60, 60, 3),
      }),
    ),
    // Names come from a driver; these have what an allocation is separated by.
    fc.constantFrom('AMD Instinct MI300X', 'amd-gpu', 'AMD: Radeon, Pro;', 'AMD,,'),
  )
  .map(([own, type]) => ({
    vendor: 'AMD',
    word: type.replaceAll(/[,:;]+/g, ' '),
    cards: own,
    publish: (listed) => ({
      annotations: { 'hami.io/node-amd-register': register(listed, type, () => ({})) },
      allocatable: { 'amd.com/gpu': slotsOf(own) },
    }),
  }));

/** Of HAMi's chart: slots, memory and AI cores of each kind. */
export const chips = {
  Ascend910B3: [4, 65_536, 20],
  Ascend910B4: [4, 32_768, 20],
  Ascend910C: [4, 65_536, 20],
  Ascend310P: [7, 21_527, 8],
} as const;
export type Chip = keyof typeof chips;
export const chipKeys = Object.keys(chips) as readonly Chip[];

function ascend(chip: Chip): fc.Arbitrary<FamilyPart> {
  const [slots, memoryMiB, aiCores] = chips[chip];
  return fc.record({ isSoft: fc.boolean(), says: fc.boolean() }).chain(({ isSoft, says }) => {
    // A node that does not say is one of templates, by the default.
    const soft = isSoft && says;
    const amounts = fc.constant({ slots, memoryMiB, compute: soft ? 100 : aiCores });
    return cards(`vdie-${chip}-`, amounts).map((own): FamilyPart => ({
      vendor: chip,
      cards: own,
      soft,
      publish: (listed) => ({
        annotations: {
          [`hami.io/node-register-${chip}`]: register(listed, chip, ({ group: id }) =>
            chip === 'Ascend310P' ? {} : { custominfo: { NetworkID: id } },
          ),
          ...(says ? { 'hami-vnpu-core': String(soft) } : {}),
        },
        allocatable: { [`huawei.com/${chip}`]: slotsOf(own) },
      }),
    }));
  });
}

const cambricon: fc.Arbitrary<FamilyPart> = fc
  .record({ count: fc.integer({ min: 1, max: 4 }), labelled: fc.boolean() })
  .map(({ count, labelled }) => {
    const memoryMiB = 24_576;
    const allocatable = {
      'cambricon.com/mlu.smlu.vcore': String(100 * count),
      'cambricon.com/mlu.smlu.vmemory': String((count * memoryMiB) / 256),
    };
    return {
      vendor: 'MLU',
      cards: anonymous('cambricon-mlu', count, { slots: 100, memoryMiB, compute: 100 }),
      publish: () => ({ allocatable, labels: labelled ? { Model: 'MLU370-S4' } : {} }),
    };
  });

const metaxGpu: fc.Arbitrary<FamilyPart> = fc
  .record({ count: fc.integer({ min: 1, max: 4 }), tables: fc.boolean() })
  .map(({ count, tables }) => ({
    vendor: 'Metax-GPU',
    cards: anonymous('metax', count, { slots: 1, memoryMiB: 65_536, compute: 100 }),
    publish: () => ({
      allocatable: { 'metax-tech.com/gpu': String(count) },
      annotations: tables
        ? {
            'metax-tech.com/gpu.topology.losses': '{"1":0,"2":110,"3":270,"4":540}',
            'metax-tech.com/gpu.topology.scores': '{"1":0,"2":90}',
          }
        : {},
    }),
  }));

/** Cards without ids of their own: they are called after the node and a number. */
function anonymous(
  infix: string,
  count: number,
  amounts: Pick<Card, 'slots' | 'memoryMiB' | 'compute'>,
): readonly Card[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `n1-${infix}-${index}`,
    index,
    healthy: true,
    group: 0,
    ...amounts,
  }));
}

const metaxSgpu: fc.Arbitrary<FamilyPart> = fc
  .tuple(
    cards(
      'GPU-sgpu-',
      fc.record({ slots: fc.constantFrom(3, 16), memoryMiB: fc.constant(32_768), compute: fc.constant(100) }),
    ),
    fc.constantFrom('', 'best-effort', 'fixed-share'),
  )
  .map(([own, qosPolicy]) => ({
    vendor: 'Metax-SGPU',
    cards: own,
    publish: (listed) => ({
      annotations: {
        'metax-tech.com/node-gpu-devices': JSON.stringify(
          listed.map((card) => ({
            uuid: card.id,
            bdf: `0000:4${card.index}:00.0`,
            totalDevCount: card.slots,
            totalCompute: card.compute,
            totalVRam: card.memoryMiB,
            healthy: card.healthy,
            qosPolicy,
            linkZone: card.group,
          })),
        ),
      },
      allocatable: { 'metax-tech.com/sgpu': slotsOf(own) },
    }),
  }));

/** A node's cards of each family, its Ascend chips of one kind. */
export function familyParts(chip: Chip) {
  return { nvidia, hygon, amd, cambricon, metaxGpu, metaxSgpu, ascend: ascend(chip) };
}

export type Family = keyof ReturnType<typeof familyParts>;

/** The node `n1` with cards of these families. */
export function nodeWith(families: readonly Family[], chip: Chip): fc.Arbitrary<FamilyNode> {
  const parts = familyParts(chip);
  return fc
    .tuple(...families.map((family) => parts[family]))
    .map((chosen): FamilyNode => ({ name: 'n1', parts: chosen }));
}
