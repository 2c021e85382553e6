/**
 * What MetaX's plugin says about the links between the free cards of a node: for every number of cards, how many points
 * the best such set has (`scores`) and how many the node's links lose by it (`losses`), vendors §7.7. Who packs wants
 * little lost, who spreads wants well linked cards.
 *
 * Both count the same points, summed up over pairs of cards, so they compare between nodes as they are. What a table does
 * not say is reckoned as what so many cards usually have. The reference takes it for 0, and so prefers nodes that say
 * nothing, under one of the policies at least.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import type { DeviceFacts } from '../../model/device.ts';
import type { Parsed } from '../../model/result.ts';
import { parseJson } from '../../wire/json.ts';
import { schemaParser } from '../../wire/validate.ts';
import type { CardRating } from '../card-rules.ts';

const tables = {
  losses: 'metax-tech.com/gpu.topology.losses',
  scores: 'metax-tech.com/gpu.topology.scores',
} as const;

export const tableAnnotations: readonly string[] = Object.values(tables);

const readPoints = schemaParser<Readonly<Record<string, number>>>({
  type: 'object',
  propertyNames: { type: 'string', pattern: '^\\d{1,9}$' },
  additionalProperties: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
});

/**
 * The tables of a node as facts about each of its cards. A table is read whole or not at all, and cards are as good
 * without it. Never throws.
 *
 * @param cards how many the node offers; what is said of more is left out
 */
export function readTables(
  annotations: TextMap,
  cards: number,
): { readonly facts: DeviceFacts; readonly problem?: string } {
  const facts: Record<string, number> = {};
  const problems: string[] = [];
  for (const [table, annotation] of Object.entries(tables)) {
    const value = annotations[annotation];
    if (value === undefined) continue;
    const points = readTable(value);
    if (!points.ok) {
      problems.push(`${annotation}: ${points.problem}`);
      continue;
    }
    for (let count = 1; count <= cards; count += 1) {
      const sum = points.value[String(count)];
      if (sum !== undefined) facts[`${table}${count}`] = sum;
    }
  }
  return { facts, ...(problems.length === 0 ? {} : { problem: problems.join('; ') }) };
}

function readTable(value: string): Parsed<Readonly<Record<string, number>>> {
  const json = parseJson(value);
  return json.ok ? readPoints(json.value) : json;
}

/** The reference takes points from 2000, so this is what no node reaches. */
const mostPoints = 2000;
/** The reference's own table has 44 to 110 for each pair of cards. */
const usualPointsOfPair = 50;

export const rateByTables: CardRating = {
  // As in the reference, whose own score of a node is at most 30 beside these points.
  weight: mostPoints / (mostPoints + 30),
  rate: (chosen, [card], policy) => {
    const facts = card?.device.facts ?? {};
    const points = (count: number) => {
      const said = facts[`${policy === 'binpack' ? 'losses' : 'scores'}${count}`];
      return typeof said === 'number' ? said : (usualPointsOfPair * count * (count - 1)) / 2;
    };
    // Kubelet chooses for one container after the other, so each has links of its own.
    const shares = chosen.map(({ cards }) => Math.min(1, Math.max(0, points(cards.length) / mostPoints)));
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    return policy === 'binpack' ? 1 - mean : mean;
  },
};
