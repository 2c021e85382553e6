/** Allocations are written by the scheduler alone: what a tenant writes in its place is removed (spec §1.8, Q25). */
import { describe, expect, it } from '@jest/globals';
import { makeAdmissionDeps, makeRawContainer, makeRawPod, mustAdmit } from './admission-fixture.ts';

const reservedAnnotations = [
  'hami.io/vgpu-node',
  'hami.io/vgpu-time',
  'hami.io/vgpu-devices-to-allocate',
  'hami.io/vgpu-devices-allocated',
  'hami.io/vgpu-mig-allocations',
  'hami.io/bind-phase',
  'hami.io/bind-time',
  'tessera.io/seal',
  'tessera.io/kinds',
];
const gpu = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '1000' };
const mine = { 'nvidia.com/use-gputype': 'A100', 'hami.io/node-scheduler-policy': 'spread', 'a~b/c': 'd' };

describe('reserved keys of a new pod', () => {
  it.each(reservedAnnotations)('annotation %s is removed with a warning', (key) => {
    const pod = makeRawPod({
      metadata: { annotations: { ...mine, [key]: 'x' } },
      containers: [makeRawContainer(gpu)],
    });
    const { patched, warnings } = mustAdmit(pod, makeAdmissionDeps());
    expect(patched).toEqual(
      makeRawPod({ metadata: { annotations: mine }, containers: [makeRawContainer(gpu)] }),
    );
    expect(warnings).toEqual([`annotation ${key} is reserved for the scheduler and was removed`]);
  });

  it('the label that names the node is removed with a warning', () => {
    const pod = makeRawPod({ metadata: { labels: { app: 'web', 'hami.io/vgpu-node': 'n1' } } });
    const { patched, warnings } = mustAdmit(pod, makeAdmissionDeps());
    expect(patched).toEqual(makeRawPod({ metadata: { labels: { app: 'web' } } }));
    expect(warnings).toEqual(['label hami.io/vgpu-node is reserved for the scheduler and was removed']);
  });

  it.each([
    { name: 'a pod without cards', containers: [makeRawContainer()], schedulerName: 'tessera-scheduler' },
    {
      name: 'a pod of the default scheduler',
      containers: [makeRawContainer()],
      schedulerName: 'default-scheduler',
    },
    { name: 'a pod of another scheduler', containers: [makeRawContainer(gpu)], schedulerName: 'volcano' },
  ])('all are removed together from $name', ({ containers, schedulerName }) => {
    const annotations = Object.fromEntries(reservedAnnotations.map((key) => [key, '']));
    const labels = { 'hami.io/vgpu-node': 'n1' };
    const spec = { schedulerName };
    const pod = makeRawPod({
      metadata: { annotations: { ...mine, ...annotations }, labels },
      containers,
      spec,
    });
    const { patched, warnings } = mustAdmit(pod, makeAdmissionDeps());
    expect(patched).toEqual(makeRawPod({ metadata: { annotations: mine, labels: {} }, containers, spec }));
    expect(warnings).toHaveLength(reservedAnnotations.length + 1);
  });

  it('a pod that names none is not told anything', () => {
    const pod = makeRawPod({ metadata: { annotations: mine, labels: { app: 'web' } } });
    const { patch, warnings } = mustAdmit(pod, makeAdmissionDeps());
    expect({ patch, warnings }).toEqual({ patch: [], warnings: [] });
  });
});
