/** Mixes of faults: each alone, and all of them at once in proportions that the seed chooses. */
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { type Misfortune, misfortuneNames } from './misfortunes.ts';
import { type RequestFault, requestFaults } from './request-faults.ts';
import { noFaults, type Scenario } from './scenario.ts';

/** Misfortunes that need a second server. */
const ofReplicas: readonly Misfortune[] = ['leader-stopped'];

const podsAlone = 16;

export const alone: readonly Scenario[] = [
  ...requestFaults.map((fault): Scenario => ({
    name: fault,
    pods: podsAlone,
    rates: { requests: [[1, fault]], ofBindCalls: 0.25, ofOtherCalls: 0.05 },
    misfortunes: [],
    misfortuneEveryMs: Infinity,
  })),
  ...misfortuneNames.map((misfortune): Scenario => ({
    name: misfortune,
    pods: podsAlone,
    rates: noFaults,
    misfortunes: [[1, misfortune]],
    misfortuneEveryMs: 2500,
    ...(ofReplicas.includes(misfortune) ? { replicas: 2 } : {}),
  })),
];

/** Everything that can go wrong, in weights that differ from seed to seed; some weigh nothing. */
export function randomMix(pods: number, seed: number, replicas: number): Scenario {
  const random = seededRandom(seed);
  const weigh = <T>(items: readonly T[]) =>
    items.map((item) => [random() < 0.3 ? 0 : random(), item] as const).filter(([weight]) => weight > 0);
  const isPossible = (misfortune: Misfortune) => replicas > 1 || !ofReplicas.includes(misfortune);
  const misfortunes = weigh(misfortuneNames.filter(isPossible));
  return {
    name: `a random mix of ${pods} pods on ${replicas} server(s)`,
    pods,
    rates: {
      requests: weigh<RequestFault>(requestFaults),
      ofBindCalls: random() * 0.15,
      ofOtherCalls: random() * 0.03,
    },
    misfortunes,
    misfortuneEveryMs: 2000 + random() * 8000,
    replicas,
    // While watches are dead the audit is ahead of them, and right to say so.
    audits: !misfortunes.some(([, name]) => name === 'half-open-watch'),
  };
}
