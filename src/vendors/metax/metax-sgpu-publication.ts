/**
 * The node annotation in which MetaX's plugin publishes the cards that it cuts into sGPUs (vendors §8.2). Members that
 * it leaves out are zero or false. What it says is free of a card is not read: the ledger knows, and before the plugin.
 */
import { compareText, type Device, type VendorKey } from '../../model/device.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { parseJson } from '../../wire/json.ts';
import { schemaParser } from '../../wire/validate.ts';
import { withUniqueIds } from '../register.ts';

interface JsonCard {
  readonly uuid: string;
  readonly bdf?: string | null;
  readonly model?: string | null;
  readonly totalDevCount?: number | null;
  readonly totalCompute?: number | null;
  readonly totalVRam?: number | null;
  readonly numa?: number | null;
  readonly healthy?: boolean | null;
  readonly qosPolicy?: string | null;
  readonly linkZone?: number | null;
}

const largestInt32 = 2 ** 31 - 1;
const amount = { type: 'integer', minimum: 0, maximum: largestInt32, nullable: true };
const int32 = { ...amount, minimum: -largestInt32 - 1 };
const text = { type: 'string', nullable: true };

const readCards = schemaParser<readonly JsonCard[]>({
  type: 'array',
  items: {
    type: 'object',
    properties: {
      // It must survive the allocation string, whose separators these are.
      uuid: { type: 'string', pattern: '^[^,:;\\s]+$' },
      bdf: text,
      model: text,
      totalDevCount: amount,
      totalCompute: amount,
      totalVRam: amount,
      numa: int32,
      healthy: { type: 'boolean', nullable: true },
      qosPolicy: text,
      linkZone: int32,
    },
    required: ['uuid'],
  },
});

/** What the family's own rules know of a card. */
export interface SgpuFacts {
  /** The policy under which its present pods share it; empty when it has none. */
  readonly qosPolicy: string;
  /** Cards of one zone are linked by MetaXLink; 0 or less is no zone. */
  readonly linkZone: number;
}

/**
 * Reads a value whole or refuses it whole; no card at all is an answer, too. The reference numbers cards by their place
 * in the list, which a plugin may change at any time; here they are numbered in the order of their bus addresses.
 */
export function parsePublication(value: string, vendor: VendorKey): Parsed<readonly Device[]> {
  const json = parseJson(value);
  const cards = json.ok ? readCards(json.value) : json;
  if (!cards.ok || cards.value.length === 0) return cards.ok ? parsed([]) : cards;
  const inOrder = [...cards.value].sort(
    (a, b) => compareText(a.bdf ?? '', b.bdf ?? '') || compareText(a.uuid, b.uuid),
  );
  return withUniqueIds(inOrder.map((card, index) => deviceOf(card, { vendor, index })));
}

function deviceOf(
  card: JsonCard,
  { vendor, index }: { readonly vendor: VendorKey; readonly index: number },
): Device {
  return {
    id: card.uuid,
    vendor,
    index,
    type: vendor,
    slots: card.totalDevCount ?? 0,
    memoryMiB: card.totalVRam ?? 0,
    corePercent: card.totalCompute ?? 0,
    numa: card.numa ?? 0,
    mode: '',
    healthy: card.healthy ?? false,
    facts: { qosPolicy: card.qosPolicy ?? '', model: card.model ?? '', linkZone: card.linkZone ?? 0 },
  };
}

export function factsOf({ facts = {} }: Device): SgpuFacts {
  const { qosPolicy, linkZone } = facts;
  return {
    qosPolicy: typeof qosPolicy === 'string' ? qosPolicy : '',
    linkZone: typeof linkZone === 'number' ? linkZone : 0,
  };
}
