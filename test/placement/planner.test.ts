import { describe, expect, it } from '@jest/globals';
import { type Plan, plan, type PolicyDefaults } from '../../src/placement/planner.ts';
import { makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { makeView, type ViewFields } from '../support/views.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

const defaults: PolicyDefaults = {
  nodePolicy: 'binpack',
  devicePolicy: parseDevicePolicy('binpack'),
};
const spread = parseDevicePolicy('spread');

/** One text per container: `gpu-0 512MiB 30%`, several cards joined by `+`. */
function cardsOf(answer: Plan): readonly string[] {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.refusal)}`);
  return answer.allocation.map((shares) =>
    shares.map((share) => `${share.deviceId} ${share.memoryMiB}MiB ${share.corePercent}%`).join(' + '),
  );
}

interface FitCase {
  readonly name: string;
  readonly view: ViewFields;
  readonly pod: PodRequestFields;
  readonly want: readonly string[];
}

const small = { memoryMiB: 512, corePercent: 30 };
const half = { slots: 5, corePercent: 50, memoryMiB: 4096 };

describe('which cards a container gets', () => {
  const cases: FitCase[] = [
    {
      name: 'of two equal free cards the last one (spec §14)',
      view: { devices: [{}, {}] },
      pod: { containers: [small] },
      want: ['gpu-1 512MiB 30%'],
    },
    {
      name: 'binpack: the fullest that fits',
      view: { devices: [{ used: half }, {}, { used: { ...half, memoryMiB: 8000 } }] },
      pod: { containers: [small] },
      want: ['gpu-0 512MiB 30%'],
    },
    {
      name: 'spread, asked for by the pod: the emptiest',
      view: { devices: [{}, { used: half }] },
      pod: { containers: [small], devicePolicy: spread },
      want: ['gpu-0 512MiB 30%'],
    },
    {
      name: 'binpack picks card A at 16 over card B at 15 (spec §6.3)',
      view: {
        devices: [
          { memoryMiB: 100, used: { slots: 1, corePercent: 90, memoryMiB: 10 } },
          { memoryMiB: 100, used: { slots: 7, corePercent: 10, memoryMiB: 20 } },
        ],
      },
      pod: { containers: [{ memoryPercent: 40 }] },
      want: ['gpu-0 40MiB 0%'],
    },
    {
      name: 'spread picks card B at 15 over card A at 16 (spec §6.3)',
      view: {
        devices: [
          { memoryMiB: 100, used: { slots: 1, corePercent: 90, memoryMiB: 10 } },
          { memoryMiB: 100, used: { slots: 7, corePercent: 10, memoryMiB: 20 } },
        ],
      },
      pod: { containers: [{ memoryPercent: 40 }], devicePolicy: spread },
      want: ['gpu-1 40MiB 0%'],
    },
    {
      name: 'several cards are distinct and come best first',
      view: { devices: [{}, { used: half }, {}] },
      pod: { containers: [{ ...small, count: 3 }] },
      want: ['gpu-1 512MiB 30% + gpu-2 512MiB 30% + gpu-0 512MiB 30%'],
    },
    {
      name: 'a percentage is of each card by itself: 33 % of 1000 MiB is 330, of 8192 MiB 2703',
      view: { devices: [{ memoryMiB: 1000 }, {}] },
      pod: { containers: [{ count: 2, memoryPercent: 33 }] },
      want: ['gpu-0 330MiB 0% + gpu-1 2703MiB 0%'],
    },
    {
      name: 'equal cards go from the highest NUMA node down',
      view: { devices: [{ numa: 1 }, { numa: 0 }] },
      pod: { containers: [small] },
      want: ['gpu-0 512MiB 30%'],
    },
    {
      name: 'only cards of the vendor asked for, and per container in the order asked',
      view: { devices: [{}, { vendor: 'DCU', id: 'dcu-0' }] },
      pod: { containers: [{ devices: [{ vendor: 'DCU', memoryMiB: 1 }, small] }] },
      want: ['dcu-0 1MiB 0% + gpu-0 512MiB 30%'],
    },
    {
      name: 'a selector of one vendor does not bind another',
      view: { devices: [{}, { vendor: 'DCU', id: 'dcu-0', type: 'Z100' }] },
      pod: {
        containers: [{ devices: [{ vendor: 'DCU', memoryMiB: 1 }, small] }],
        selectors: { NVIDIA: { useTypes: ['a100'], useIds: ['gpu-0'] } },
      },
      want: ['dcu-0 1MiB 0% + gpu-0 512MiB 30%'],
    },
    {
      name: 'cards that are unhealthy, withheld or not selected are passed over',
      view: {
        devices: [{}, { healthy: false }, { withheld: true }, { type: 'NVIDIA A10' }, { mode: 'mig' }],
      },
      pod: { containers: [small], selectors: { NVIDIA: { useTypes: ['a100'], modes: 'hami-core' } } },
      want: ['gpu-0 512MiB 30%'],
    },
    {
      name: 'a container that asks for nothing gets an empty list at its place',
      view: { devices: [{}] },
      pod: { containers: [{ devices: [], role: 'init' }, { devices: [] }, small] },
      want: ['', '', 'gpu-0 512MiB 30%'],
    },
    {
      name: 'a pod that asks for nothing fits anywhere',
      view: {},
      pod: { containers: [{ devices: [] }] },
      want: [''],
    },
  ];
  it.each(cases)('$name', ({ view, pod, want }) => {
    expect(cardsOf(plan(makeView(view), makePodRequest(pod), defaults))).toEqual(want);
  });
});

describe('how the containers of a pod share a node', () => {
  const whole = { memoryPercent: 100 };
  const cases: FitCase[] = [
    {
      name: 'app containers add up: the second finds the first on its card',
      view: { devices: [{}, {}] },
      pod: { containers: [{ memoryMiB: 5000 }, { memoryMiB: 5000 }] },
      want: ['gpu-1 5000MiB 0%', 'gpu-0 5000MiB 0%'],
    },
    {
      name: 'app containers may share one card',
      view: { devices: [{}] },
      pod: { containers: [small, small] },
      want: ['gpu-0 512MiB 30%', 'gpu-0 512MiB 30%'],
    },
    {
      name: 'init containers take turns with each other and with the apps',
      view: { devices: [{}] },
      pod: { containers: [{ ...whole, role: 'init' }, { ...whole, role: 'init' }, whole] },
      want: ['gpu-0 8192MiB 0%', 'gpu-0 8192MiB 0%', 'gpu-0 8192MiB 0%'],
    },
    {
      name: 'an exclusive init container gives its card back to the apps',
      view: { devices: [{}] },
      pod: { containers: [{ ...small, corePercent: 100, role: 'init' }, small, small] },
      want: ['gpu-0 512MiB 100%', 'gpu-0 512MiB 30%', 'gpu-0 512MiB 30%'],
    },
    {
      name: 'a sidecar stays: apps and later init containers come beside it',
      view: { devices: [{}, {}] },
      pod: {
        containers: [
          { memoryMiB: 8192, role: 'init' },
          { memoryMiB: 4000, role: 'sidecar' },
          { memoryMiB: 5000, role: 'init' },
          { memoryMiB: 5000 },
        ],
      },
      want: ['gpu-1 8192MiB 0%', 'gpu-1 4000MiB 0%', 'gpu-0 5000MiB 0%', 'gpu-0 5000MiB 0%'],
    },
    {
      name: 'with mutex the apps of one pod do not share either, but an init container may go before them',
      view: { devices: [{}, {}] },
      pod: {
        containers: [{ ...small, role: 'init' }, small, small],
        devicePolicy: parseDevicePolicy('spread,mutex'),
      },
      want: ['gpu-1 512MiB 30%', 'gpu-1 512MiB 30%', 'gpu-0 512MiB 30%'],
    },
  ];
  it.each(cases)('$name', ({ view, pod, want }) => {
    expect(cardsOf(plan(makeView(view), makePodRequest(pod), defaults))).toEqual(want);
  });
});
