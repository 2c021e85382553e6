/** What the planner makes of a family's own rules, with rules made up for the purpose. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodePolicy } from '../../src/model/request.ts';
import { type Plan, plan, type PlanRules } from '../../src/placement/planner.ts';
import type { CardPicture, CardRating, CardRules, ChosenCards } from '../../src/vendors/card-rules.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { type ContainerFields, makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';
import { quotaOf } from './ask-planner.ts';

interface Question {
  readonly cards: readonly CardFields[];
  readonly containers?: readonly ContainerFields[];
  readonly pod?: PodRequestFields;
  readonly rules: CardRules;
  readonly quota?: PlanRules['quota'];
  readonly nodePolicy?: NodePolicy;
  readonly devicePolicy?: string;
}

function ask(question: Question): Plan {
  const { cards, containers = [{}], pod = {}, rules, quota, nodePolicy = 'binpack' } = question;
  return plan(makeView({ devices: cards }), makePodRequest({ containers, ...pod }), {
    nodePolicy,
    devicePolicy: parseDevicePolicy(question.devicePolicy ?? 'spread'),
    cardRules: new Map([['NVIDIA', rules]]),
    ...(quota === undefined ? {} : { quota }),
  });
}

/** The ids per container, or the refused cards by reason with how many would have done. */
function answerTo(question: Question): unknown {
  const planned = ask(question);
  if (planned.ok) return planned.allocation.map((shares) => shares.map(({ deviceId }) => deviceId).join('+'));
  const { refusal } = planned;
  return refusal.code === 'AllocatedCardsInsufficientRequest'
    ? { accepted: refusal.accepted, ...refusal.refused }
    : refusal.code;
}

const ids = (cards: readonly CardPicture[]) => cards.map(({ device }) => device.id);
const free: CardFields = {};
const full: CardFields = { used: { slots: 10 } };
const small = (fields: ContainerFields = {}): ContainerFields => ({ memoryMiB: 100, ...fields });

describe('coresOf: compute in the units of the device', () => {
  /** Ten units to a card, whatever it publishes beyond. */
  const rules: CardRules = {
    coresOf: ({ corePercent }, percent) => Math.ceil((corePercent * percent) / 100),
  };

  it('is what a share holds, with the percentage beside it', () => {
    const planned = ask({ cards: [{ corePercent: 8 }], containers: [small({ corePercent: 50 })], rules });
    expect(planned).toMatchObject({ allocation: [[{ corePercent: 4, askedPercent: 50 }]] });
  });

  it('is what a card must have left', () => {
    const cards = [{ corePercent: 8, used: { slots: 1, corePercent: 5 } }];
    const asking = (corePercent: number) => ({ cards, containers: [small({ corePercent })], rules });
    expect(answerTo(asking(37))).toEqual(['gpu-0']);
    expect(answerTo(asking(38))).toEqual({ accepted: 0, CardInsufficientCore: 1 });
  });

  it('is what the next container finds taken', () => {
    const half = small({ corePercent: 50 });
    const cards = [{ corePercent: 8 }, { corePercent: 8 }];
    expect(answerTo({ cards, containers: [half, half, half], rules })).toEqual(['gpu-1', 'gpu-0', 'gpu-1']);
    expect(answerTo({ cards, containers: [half, half, half, half, half], rules })).toEqual({
      accepted: 0,
      CardInsufficientCore: 2,
    });
  });

  it('is how full a card counts in the order of cards', () => {
    // With this request all of 1000 units would be in use, and nine of ten: percent alone would have it the other way round.
    const cards = [
      { corePercent: 1000, used: { slots: 1, corePercent: 600 } },
      { corePercent: 10, used: { slots: 1, corePercent: 5 } },
    ];
    const containers = [small({ corePercent: 40 })];
    expect(answerTo({ cards, containers, rules, devicePolicy: 'spread' })).toEqual(['gpu-1']);
    expect(answerTo({ cards, containers, rules, devicePolicy: 'binpack' })).toEqual(['gpu-0']);
  });

  it.each([
    { limit: 100, want: ['gpu-1+gpu-0'] },
    { limit: 99, want: { accepted: 1, ResourceQuotaNotFit: 1 } },
    { limit: 49, want: { accepted: 0, ResourceQuotaNotFit: 2 } },
  ])('is not what a quota of $limit percent counts', ({ limit, want }) => {
    const cards = [{ corePercent: 400 }, { corePercent: 400 }];
    const containers = [small({ count: 2, corePercent: 50 })];
    expect(answerTo({ cards, containers, rules, quota: quotaOf(undefined, limit) })).toEqual(want);
  });

  it('a quota counts the containers before in percent, too', () => {
    const half = small({ corePercent: 50 });
    const cards = [{ corePercent: 400 }, { corePercent: 400 }];
    const under = (limit: number) =>
      answerTo({ cards, containers: [half, half], rules, quota: quotaOf(undefined, limit) });
    expect(under(100)).toEqual(['gpu-1', 'gpu-0']);
    expect(under(99)).toEqual({ accepted: 0, ResourceQuotaNotFit: 2 });
  });
});

describe('anyCompute', () => {
  it('takes a card whose compute is all promised, which a request for none does not', () => {
    const cards = [{ used: { slots: 1, corePercent: 100 } }];
    expect(answerTo({ cards, containers: [small()], rules: {} })).toEqual({
      accepted: 0,
      CardComputeUnitsExhausted: 1,
    });
    expect(answerTo({ cards, containers: [small({ anyCompute: true })], rules: {} })).toEqual(['gpu-0']);
  });

  it('is no way around memory', () => {
    const cards = [{ memoryMiB: 99 }];
    expect(answerTo({ cards, containers: [small({ anyCompute: true })], rules: {} })).toEqual({
      accepted: 0,
      CardInsufficientMemory: 1,
    });
  });
});

describe('accept', () => {
  /** Pods of one kind do not go where another kind is. */
  const rules: CardRules = {
    accept: ({ kinds }, { kind }) =>
      kinds.some((present) => present !== kind) ? 'CardAppClassMismatch' : undefined,
  };
  const online = (fields: ContainerFields = {}) => small({ kind: 'online', ...fields });

  const cases: { name: string; cards: readonly CardFields[]; pod?: PodRequestFields; want: unknown }[] = [
    { name: 'takes what it has nothing against', cards: [free], want: ['gpu-0'] },
    {
      name: 'refuses with its own reason',
      cards: [{ kinds: ['online', 'offline'] }, free, { kinds: ['offline'] }],
      pod: { containers: [online({ count: 2 })] },
      want: { accepted: 1, CardAppClassMismatch: 2 },
    },
    {
      name: 'is asked after the selection of cards',
      cards: [{ kinds: ['offline'] }],
      pod: { containers: [online()], selectors: { NVIDIA: { useIds: ['gpu-9'] } } },
      want: { accepted: 0, CardUuidMismatch: 1 },
    },
    {
      name: 'and before slots and amounts',
      cards: [{ kinds: ['offline'], used: { slots: 10, memoryMiB: 8192 } }],
      pod: { containers: [online()] },
      want: { accepted: 0, CardAppClassMismatch: 1 },
    },
    {
      name: 'sees what the containers before have taken',
      cards: [free, free],
      pod: { containers: [online(), small({ kind: 'offline' }), online(), small({ kind: 'offline' })] },
      want: ['gpu-1', 'gpu-0', 'gpu-1', 'gpu-0'],
    },
    {
      name: 'also of an init container, whose kind stays on the card when its amounts have gone',
      cards: [free],
      pod: { containers: [online({ role: 'init', memoryMiB: 8192 }), online({ memoryMiB: 8192 })] },
      want: ['gpu-0', 'gpu-0'],
    },
    {
      name: 'so that another kind does not follow it there',
      cards: [free],
      pod: { containers: [online({ role: 'init' }), small({ kind: 'offline' })] },
      want: { accepted: 0, CardAppClassMismatch: 1 },
    },
  ];
  it.each(cases)('$name', ({ cards, pod = { containers: [online()] }, want }) => {
    expect(answerTo({ cards, pod, rules })).toEqual(want);
  });

  it('is not asked about cards of other families', () => {
    const asked: string[] = [];
    const noting: CardRules = {
      accept: ({ device }) => {
        asked.push(device.vendor);
        return undefined;
      },
    };
    const cards = [free, { id: 'other', vendor: 'DCU' }];
    const containers = [{ devices: [{ memoryMiB: 1 }, { vendor: 'DCU', memoryMiB: 1 }] }];
    expect(answerTo({ cards, containers, rules: noting })).toEqual(['gpu-0+other']);
    expect(new Set(asked)).toEqual(new Set(['NVIDIA']));
  });
});

describe('choose', () => {
  const first: CardRules = { choose: (fitting, { count }) => fitting.slice(0, count) };
  const last: CardRules = { choose: (fitting, { count }) => fitting.slice(-count) };
  /** Cards of one NUMA node alone go together. */
  const together: CardRules = {
    choose: (fitting, { count }) => {
      const groups = [...Map.groupBy(fitting, ({ device }) => device.numa).values()];
      const largest = groups.sort((a, b) => b.length - a.length)[0] ?? [];
      return largest.slice(0, count);
    },
  };
  const two = [small({ count: 2 })];

  const cases: { name: string; question: Question; want: unknown }[] = [
    {
      name: 'is given the cards that fit, best first by the device policy',
      question: {
        cards: [free, full, { used: { slots: 5 } }, { used: { slots: 1 } }],
        containers: two,
        rules: first,
      },
      want: ['gpu-0+gpu-3'],
    },
    {
      name: 'takes others if it will, in its own order',
      question: {
        cards: [free, full, { used: { slots: 5 } }, { used: { slots: 1 } }],
        containers: two,
        rules: last,
      },
      want: ['gpu-3+gpu-2'],
    },
    {
      name: 'is asked about a single card, too',
      question: { cards: [free, { used: { slots: 5 } }], containers: [small()], rules: last },
      want: ['gpu-1'],
    },
    {
      name: 'is asked anew for each container, with what the one before has taken',
      question: { cards: [free, free], containers: [small(), small()], rules: first },
      want: ['gpu-1', 'gpu-0'],
    },
    {
      name: 'refuses by a shorter answer, which counts the cards left over',
      question: {
        cards: [{ numa: 0 }, { numa: 1 }, { numa: 2 }, full],
        containers: two,
        rules: together,
      },
      want: { accepted: 1, CardTopologyMismatch: 2, CardTimeSlicingExhausted: 1 },
    },
    {
      name: 'may refuse all of them',
      question: { cards: [free, free], containers: two, rules: { choose: () => [] } },
      want: { accepted: 0, CardTopologyMismatch: 2 },
    },
    {
      name: 'fits where enough cards belong together',
      question: { cards: [{ numa: 0 }, { numa: 1 }, { numa: 1 }], containers: two, rules: together },
      want: ['gpu-2+gpu-1'],
    },
  ];
  it.each(cases)('$name', ({ question, want }) => {
    expect(answerTo(question)).toEqual(want);
  });

  it('is not asked where too few cards fit: the others have their own reasons', () => {
    const never: CardRules = {
      choose: () => {
        throw new Error('asked');
      },
    };
    const containers = two;
    expect(answerTo({ cards: [free, full], containers, rules: never })).toEqual({
      accepted: 1,
      CardTimeSlicingExhausted: 1,
    });
    expect(answerTo({ cards: [free], containers, rules: never })).toBe('NodeInsufficientDevice');
    expect(answerTo({ cards: [], containers, rules: never })).toBe('NodeUnregistered');
  });

  it('is asked with what each card holds before the choice, all shares of the pod so far included', () => {
    const seen: unknown[] = [];
    const noting: CardRules = {
      choose: (fitting, { count }) => {
        seen.push(fitting.map(({ device, used, kinds }) => `${device.id} ${used.memoryMiB} ${kinds.join()}`));
        return fitting.slice(0, count);
      },
    };
    const cards = [{ used: { slots: 1, memoryMiB: 7 }, kinds: ['x'] }];
    ask({ cards, containers: [small({ kind: 'y' }), small({ kind: 'z' })], rules: noting });
    expect(seen).toEqual([['gpu-0 7 x'], ['gpu-0 107 x,y']]);
  });

  describe('under a quota', () => {
    // Cards are chosen together, so each must be affordable as often as there will be cards.
    const halves = [{ count: 2, memoryPercent: 50 }];
    const quotaCases: {
      name: string;
      memoryMiB: number;
      containers?: readonly ContainerFields[];
      want: unknown;
    }[] = [
      { name: 'all that is asked for', memoryMiB: 200, containers: two, want: ['gpu-2+gpu-1'] },
      {
        name: 'one MiB too much: no card will do, and none is chosen',
        memoryMiB: 199,
        containers: two,
        want: { accepted: 0, ResourceQuotaNotFit: 3 },
      },
      {
        name: 'cards that are too large to be had twice are left out',
        memoryMiB: 1000,
        containers: halves,
        want: ['gpu-1+gpu-0'],
      },
      {
        name: 'the second container finds what the first has left',
        memoryMiB: 300,
        containers: [small(), small({ count: 2 })],
        want: ['gpu-2', 'gpu-1+gpu-0'],
      },
      {
        name: 'and no more',
        memoryMiB: 299,
        containers: [small(), small({ count: 2 })],
        want: { accepted: 0, ResourceQuotaNotFit: 3 },
      },
    ];
    it.each(quotaCases)('$name', ({ memoryMiB, containers = two, want }) => {
      const cards = [{ memoryMiB: 1000 }, { memoryMiB: 1000 }, { memoryMiB: 4000 }];
      const rules = first;
      expect(answerTo({ cards, containers, rules, quota: quotaOf(memoryMiB, undefined) })).toEqual(want);
    });

    it('names the limit in the refusal', () => {
      const planned = ask({
        cards: [free],
        containers: [small()],
        rules: first,
        quota: quotaOf(99, undefined),
      });
      expect(planned).toMatchObject({
        refusal: { quota: { resource: 'limits.nvidia.com/gpumem', limit: 99 } },
      });
    });
  });
});

describe('rating', () => {
  const view = [{ used: { slots: 5, memoryMiB: 4096, corePercent: 50 } }, free];
  const rated = (weight: number, rate: CardRating['rate'], fields: Partial<Question> = {}): number => {
    const planned = ask({
      cards: view,
      containers: [small()],
      rules: { rating: { weight, rate } },
      ...fields,
    });
    if (!planned.ok) throw new Error(planned.refusal.code);
    return planned.score;
  };
  const plain = (nodePolicy: NodePolicy) => rated(0, () => 1, { nodePolicy });

  it.each<{ weight: number; rate: number; policy: NodePolicy }>([
    { weight: 0, rate: 1, policy: 'binpack' },
    { weight: 0.25, rate: 1, policy: 'binpack' },
    { weight: 0.25, rate: 0, policy: 'spread' },
    { weight: 0.5, rate: 0.5, policy: 'spread' },
    { weight: 0.9, rate: 0, policy: 'binpack' },
    { weight: 0.9, rate: 1, policy: 'spread' },
  ])('has its weight of $weight in the score: $rate under $policy', ({ weight, rate, policy }) => {
    const want = (1 - weight) * plain(policy) + weight * 100 * rate;
    expect(rated(weight, () => rate, { nodePolicy: policy })).toBeCloseTo(want, 9);
  });

  it('leaves the score as it is without weight, as without rules', () => {
    const planned = ask({ cards: view, containers: [small()], rules: {} });
    expect(planned).toMatchObject({ ok: true, score: plain('binpack') });
  });

  it('is taken for 0 or 1 where it is beyond, so that a score stays within 0 and 100', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ noNaN: true }),
        (weight, rate) => {
          const score = rated(weight, () => rate);
          expect(score).toBeCloseTo(
            rated(weight, () => Math.min(1, Math.max(0, rate))),
            9,
          );
          expect(score >= 0 && score <= 100).toBe(true);
        },
      ),
    );
  });

  it('is asked once per pod, about every container with cards and all cards as they were before', () => {
    const asked: unknown[] = [];
    const rate = (
      chosen: readonly ChosenCards[],
      cards: readonly CardPicture[],
      policy: NodePolicy,
    ): number => {
      asked.push({
        chosen: chosen.map(({ wanted, cards: given }) => [wanted.count, ids(given), given[0]?.used.slots]),
        cards: cards.map(({ device, used }) => `${device.id} ${used.slots}`),
        policy,
      });
      return 0;
    };
    const containers = [small(), { devices: [] }, small({ count: 2 })];
    const cards = [...view, { id: 'other', vendor: 'DCU' }];
    rated(0.5, rate, { cards, containers, nodePolicy: 'spread' });
    expect(asked).toEqual([
      {
        chosen: [
          [1, ['gpu-1'], 0],
          [2, ['gpu-1', 'gpu-0'], 1],
        ],
        cards: ['gpu-0 5', 'gpu-1 0'],
        policy: 'spread',
      },
    ]);
  });

  it('is not asked about a node that refuses the pod, nor about a pod without cards', () => {
    const never: CardRules = {
      rating: {
        weight: 0.9,
        rate: () => {
          throw new Error('asked');
        },
      },
    };
    expect(answerTo({ cards: [full], containers: [small()], rules: never })).toEqual({
      accepted: 0,
      CardTimeSlicingExhausted: 1,
    });
    expect(answerTo({ cards: [free], containers: [{ devices: [] }], rules: never })).toEqual(['']);
  });

  it('changes no card', () => {
    const without = answerTo({ cards: view, containers: [small({ count: 2 })], rules: {} });
    const rules = { rating: { weight: 0.9, rate: () => 0 } };
    expect(answerTo({ cards: view, containers: [small({ count: 2 })], rules })).toEqual(without);
  });
});
