/** What the planner makes of a scoring, with scorings made up for the purpose. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodePolicy } from '../../src/model/request.ts';
import { type Plan, plan, type PlanRules } from '../../src/placement/planner.ts';
import type { Moment, Scoring } from '../../src/placement/scoring.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { arbitraryCard } from '../support/arbitrary-cards.ts';
import { type ContainerFields, makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';
import { a100, numaBound, quotaOf } from './ask-planner.ts';

interface Question {
  readonly cards: readonly CardFields[];
  readonly containers?: readonly ContainerFields[];
  readonly pod?: PodRequestFields;
  /** By id; the highest is to be taken. */
  readonly ratings?: Readonly<Record<string, number>>;
  readonly scoring?: Scoring;
  readonly nodePolicy?: NodePolicy;
  readonly devicePolicy?: string;
  readonly quota?: PlanRules['quota'];
}

const nodeRating = 77.5;

function scoringBy(ratings: Readonly<Record<string, number>>): Scoring {
  return {
    rateShare: (_moment, _index, { deviceId }) => ratings[deviceId] ?? 0,
    rateNode: () => nodeRating,
  };
}

function ask(question: Question): Plan {
  const { cards, containers = [small()], pod = {}, ratings = {}, quota } = question;
  return plan(makeView({ devices: cards }), makePodRequest({ containers, ...pod }), {
    nodePolicy: question.nodePolicy ?? 'fragmentation',
    devicePolicy: parseDevicePolicy(question.devicePolicy ?? 'spread'),
    scoring: question.scoring ?? scoringBy(ratings),
    ...(quota === undefined ? {} : { quota }),
  });
}

/** The ids per container, or the refused cards by reason with how many would have done. */
function answerTo(question: Question): unknown {
  const planned = ask(question);
  if (planned.ok) {
    return planned.allocation.map((shares) =>
      shares.map(({ deviceId, mig }) => `${deviceId}${mig ? `@${mig.placement.start}` : ''}`).join('+'),
    );
  }
  const { refusal } = planned;
  return refusal.code === 'AllocatedCardsInsufficientRequest'
    ? { accepted: refusal.accepted, ...refusal.refused }
    : refusal.code;
}

function small(fields: ContainerFields = {}): ContainerFields {
  return { memoryMiB: 100, ...fields };
}

const three: readonly CardFields[] = [{}, { used: { slots: 1, memoryMiB: 100 } }, {}];
/** The second card is the best. */
const second = { 'gpu-0': 1, 'gpu-1': 3, 'gpu-2': 2 };

describe('of the cards that fit, the one is taken that is rated highest', () => {
  const cases: (Question & { readonly name: string; readonly want: unknown })[] = [
    {
      name: 'whatever the device policy of the configuration says',
      cards: three,
      ratings: second,
      want: ['gpu-1'],
    },
    { name: 'of equals the first on the node', cards: three, ratings: { 'gpu-0': -1 }, want: ['gpu-1'] },
    {
      name: 'though it is rated below nothing',
      cards: three,
      ratings: { 'gpu-0': -3, 'gpu-1': -2, 'gpu-2': -1e9 },
      want: ['gpu-1'],
    },
    {
      name: 'and no card that does not fit, however it is rated',
      cards: [{}, { used: { slots: 10 } }, {}],
      ratings: second,
      want: ['gpu-2'],
    },
    {
      name: 'and no card of another family',
      cards: [{}, { vendor: 'DCU', index: 1 }, {}],
      ratings: second,
      want: ['gpu-2'],
    },
    {
      name: 'several of them, the best first',
      cards: three,
      containers: [small({ count: 2 })],
      ratings: second,
      want: ['gpu-1+gpu-2'],
    },
    {
      name: 'for every container anew',
      cards: [{}, { slots: 1 }, {}],
      containers: [small(), small()],
      ratings: second,
      want: ['gpu-1', 'gpu-2'],
    },
    {
      name: 'in MIG mode as often as it has room',
      cards: [a100, { ...a100, used: { slots: 6, memoryMiB: 29_184 }, occupied: [{ start: 0, size: 6 }] }],
      containers: [{ count: 3, memoryMiB: 4000 }],
      ratings: { 'gpu-1': 1 },
      want: ['gpu-1@6+gpu-0@6+gpu-0@5'],
    },
    {
      name: 'within the quota of the namespace',
      cards: three,
      containers: [{ count: 2, memoryPercent: 50 }],
      quota: quotaOf(8191, undefined),
      ratings: second,
      want: { accepted: 1, ResourceQuotaNotFit: 2 },
    },
  ];
  it.each(cases)('$name', ({ want, ...question }) => {
    expect(answerTo(question)).toEqual(want);
  });
});

describe('others choose the cards', () => {
  const cases: (Question & { readonly name: string; readonly want: unknown })[] = [
    {
      name: 'the pod’s own device policy',
      cards: three,
      pod: { devicePolicy: parseDevicePolicy('spread') },
      ratings: second,
      want: ['gpu-2'],
    },
    {
      name: 'links, where the device policy is topology-aware',
      cards: [0, 1, 2].map((index) => ({
        index,
        linkScores: new Map([0, 1, 2].map((other) => [`gpu-${other}`, index + other === 2 ? 100 : 10])),
      })),
      devicePolicy: 'topology-aware',
      containers: [small({ count: 2 })],
      ratings: second,
      want: ['gpu-2+gpu-0'],
    },
    {
      name: 'NUMA nodes, where all cards must be on one',
      cards: [{ numa: 1 }, { numa: 0 }, { numa: 1 }],
      pod: { selectors: numaBound },
      containers: [small({ count: 2 })],
      ratings: second,
      want: ['gpu-2+gpu-0'],
    },
    {
      name: 'the words, where the pod’s node policy is another',
      cards: three,
      pod: { nodePolicy: 'binpack' },
      ratings: { 'gpu-0': 9 },
      want: ['gpu-2'],
    },
    {
      name: 'the words, where the configuration’s node policy is another',
      cards: three,
      nodePolicy: 'spread',
      ratings: { 'gpu-0': 9 },
      want: ['gpu-2'],
    },
  ];
  it.each(cases)('$name', ({ want, ...question }) => {
    expect(answerTo(question)).toEqual(want);
  });

  it('but a pod may ask for the policy against the configuration', () => {
    const question = { cards: three, nodePolicy: 'binpack', ratings: second } as const;
    expect(answerTo({ ...question, pod: { nodePolicy: 'fragmentation' } })).toEqual(['gpu-1']);
  });
});

describe('the score of the node', () => {
  const scoreOf = (question: Question) => {
    const planned = ask(question);
    return planned.ok ? planned.score : undefined;
  };

  it('is what the scoring says, also where others chose the cards, and for pods without devices', () => {
    expect(scoreOf({ cards: three })).toBe(nodeRating);
    expect(scoreOf({ cards: three, pod: { devicePolicy: parseDevicePolicy('binpack') } })).toBe(nodeRating);
    expect(scoreOf({ cards: three, containers: [{ devices: [] }] })).toBe(nodeRating);
  });

  it('is that of the words where the node policy is another', () => {
    expect(scoreOf({ cards: three, nodePolicy: 'binpack' })).not.toBe(nodeRating);
    expect(scoreOf({ cards: three, pod: { nodePolicy: 'spread' } })).not.toBe(nodeRating);
  });

  it('is asked with everything of the pod in the draft', () => {
    const seen: number[] = [];
    const used = ({ draft }: Moment) => draft.used().slots;
    const scoring: Scoring = {
      rateShare: (moment) => {
        seen.push(used(moment));
        return 0;
      },
      rateNode: (moment) => {
        seen.push(used(moment));
        return 1;
      },
    };
    ask({ cards: [{}, {}], containers: [small({ count: 2 }), small()], scoring });
    // Two cards for the first share, one for the second, two for the third, and the node with all of them.
    expect(seen).toEqual([0, 0, 1, 2, 2, 3]);
  });
});

describe('what fits and why not', () => {
  it('is the same with a scoring as without, on cards of any but MIG mode', () => {
    let refused = 0;
    const cards = fc.array(
      arbitraryCard.filter(({ mode }) => mode !== 'mig'),
      { maxLength: 6 },
    );
    const container = fc.record({
      count: fc.integer({ min: 1, max: 3 }),
      memoryMiB: fc.constantFrom(0, 128, 2048, 8192),
      corePercent: fc.constantFrom(0, 50, 100),
    });
    fc.assert(
      fc.property(
        cards,
        container,
        fc.array(fc.nat({ max: 9 }), { minLength: 10, maxLength: 10 }),
        (devices, asked, order) => {
          const ratings = Object.fromEntries(order.map((rating, index) => [`gpu-${index}`, rating]));
          const question = { cards: devices, containers: [asked], ratings };
          const scored = ask(question);
          const plain = ask({ ...question, nodePolicy: 'binpack' });
          expect(scored.ok).toBe(plain.ok);
          if (scored.ok || plain.ok) return;
          refused += 1;
          expect(scored.refusal).toEqual(plain.refusal);
        },
      ),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});
