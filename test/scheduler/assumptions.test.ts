import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../src/model/node-view.ts';
import { Assumptions } from '../../src/scheduler/assumptions.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';
import { usageText } from '../state/support/device-states.ts';

const view = makeView({ devices: [{ used: { slots: 1, memoryMiB: 100 } }, {}] });
const share = (deviceId: string) => ({ vendor: 'NVIDIA', deviceId, memoryMiB: 3000, corePercent: 30 });
const pod = (podUid: string, containers = [{}]) => makePodRequest({ podUid, containers });
const usage = ({ devices }: NodeView) => devices.map(({ used }) => usageText(used));

function expecting(...pods: readonly string[]) {
  const clock = new ManualClock(0);
  const assumptions = new Assumptions(clock);
  for (const uid of pods) assumptions.expect(pod(uid), 'n1', [[share('gpu-0')]]);
  return { clock, assumptions };
}

describe('a soft assumption', () => {
  it('shows a node to other pods as it will be', () => {
    const { assumptions } = expecting('a', 'b');
    expect(usage(assumptions.expected(view, 'c'))).toEqual(['3/6100/60', '0/0/0']);
    expect(usage(assumptions.expected(view, 'a'))).toEqual(['2/3100/30', '0/0/0']);
    expect(usage(view)).toEqual(['1/100/0', '0/0/0']);
  });

  it('shows the pod itself, and other nodes, the very same view', () => {
    const { assumptions } = expecting('a');
    const other = makeView({ name: 'n2' });
    expect(assumptions.expected(view, 'a')).toBe(view);
    expect(assumptions.expected(other, 'c')).toBe(other);
  });

  it('lasts two seconds', () => {
    const { clock, assumptions } = expecting('a');
    clock.advance(1999);
    expect(assumptions.expected(view, 'c')).not.toBe(view);
    clock.advance(1);
    expect(assumptions.expected(view, 'c')).toBe(view);
  });

  it('lasts two seconds from the last time it was made', () => {
    const { clock, assumptions } = expecting('a');
    clock.advance(1500);
    assumptions.expect(pod('a'), 'n1', [[share('gpu-1')]]);
    clock.advance(1500);
    expect(usage(assumptions.expected(view, 'c'))).toEqual(['1/100/0', '1/3000/30']);
  });

  it('ends when told, once or twice', () => {
    const { assumptions } = expecting('a', 'b');
    assumptions.end('a');
    assumptions.end('a');
    assumptions.end('never');
    expect(usage(assumptions.expected(view, 'c'))).toEqual(['2/3100/30', '0/0/0']);
    assumptions.end('b');
    expect(assumptions.expected(view, 'c')).toBe(view);
  });

  it('moves with the pod to another node', () => {
    const { assumptions } = expecting('a');
    assumptions.expect(pod('a'), 'n2', [[share('gpu-0')]]);
    expect(assumptions.expected(view, 'c')).toBe(view);
    expect(assumptions.expected(makeView({ name: 'n2', devices: [{}] }), 'c').devices[0]?.used.slots).toBe(1);
  });

  it('counts init containers with their peak', () => {
    const { assumptions } = expecting();
    const containers = [{ role: 'init' as const }, {}];
    assumptions.expect(pod('a', containers), 'n1', [[share('gpu-1')], [share('gpu-1')]]);
    expect(usage(assumptions.expected(view, 'c'))[1]).toBe('1/3000/30');
  });

  it('on a card that is gone is ignored', () => {
    const { assumptions } = expecting();
    assumptions.expect(pod('a'), 'n1', [[share('gpu-9')]]);
    expect(usage(assumptions.expected(view, 'c'))).toEqual(usage(view));
  });
});
