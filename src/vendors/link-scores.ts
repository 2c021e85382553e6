/**
 * The node annotation in which a HAMi device plugin says how well its cards are linked (spec §1.4): for every card, a
 * number of points for each other card. Written only where topology scores are switched on.
 */
import type { Device } from '../model/device.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { schemaParser } from '../wire/validate.ts';

/** Points between cards, by the card's id and then by the other's. More is a better link. */
export type LinkScores = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface JsonCard {
  readonly uuid: string;
  readonly score?: Readonly<Record<string, number>> | null;
}

/** Sums of a few dozen of these stay exact. */
const points = { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };

const readCards = schemaParser<readonly JsonCard[]>({
  type: 'array',
  items: {
    type: 'object',
    properties: {
      uuid: { type: 'string', minLength: 1 },
      score: { type: 'object', nullable: true, additionalProperties: points },
    },
    required: ['uuid'],
  },
});

/** Reads a value whole or refuses it whole. Never throws. */
export function parseLinkScores(value: string): Parsed<LinkScores> {
  const json = parseJson(value);
  const cards = json.ok ? readCards(json.value) : json;
  if (!cards.ok) return cards;
  const scores = new Map<string, ReadonlyMap<string, number>>();
  for (const { uuid, score } of cards.value) {
    if (scores.has(uuid)) return unparsable(`card ${JSON.stringify(uuid)} is listed twice`);
    scores.set(uuid, new Map(Object.entries(score ?? {})));
  }
  return parsed(scores);
}

/** The devices with what is known of their links; a card that the scores leave out has none. */
export function withLinkScores(devices: readonly Device[], scores: LinkScores): readonly Device[] {
  return devices.map((device) => {
    const linkScores = scores.get(device.id);
    return linkScores === undefined ? device : { ...device, linkScores };
  });
}
