/**
 * Quirks of the reference about requests that cannot be understood and about the patch of the webhook (spec §13.1): Q12
 * and Q22. Each test fails on what the reference does, which a comment in it states.
 */
import { describe, expect, it } from '@jest/globals';
import {
  makeAdmissionDeps,
  makeRawContainer,
  makeRawPod,
  mustAdmit,
  mustDeny,
} from '../admission/admission-fixture.ts';
import { byName, makeWorld } from '../scheduler/support/scheduler-world.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';

describe('an amount that is no whole number of MiB', () => {
  it.each([
    { name: 'with a binary suffix', memoryMiB: '16Gi', wantFix: 'write 16384' },
    { name: 'with a fraction', memoryMiB: '1.5', wantFix: 'has a fraction' },
    { name: 'in thousandths', memoryMiB: '1500m', wantFix: 'has a fraction' },
  ])('Q12: $name is denied by admission, and refused by filter where admission was not asked', (bad) => {
    const limits = gpuLimits({ count: 1, memoryMiB: bad.memoryMiB });
    // The reference takes the pod for one without cards: admitted, and fit for every node.
    const denial = mustDeny(makeRawPod({ containers: [makeRawContainer(limits)] }), makeAdmissionDeps());
    expect(denial.message).toContain(`container "main": nvidia.com/gpumem: "${bad.memoryMiB}"`);
    expect(denial.message).toContain(bad.wantFix);

    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2' }] });
    const pod = world.pod({ gpu: { count: 1, memoryMiB: bad.memoryMiB } });
    const answer = world.scheduler.filter(byName(pod, 'n1', 'n2'));
    expect(answer).toMatchObject({ kind: 'answered', feasible: [] });
    if (answer.kind !== 'answered') throw new Error('an error instead of an answer');
    expect([...answer.refused].map(([, { code }]) => code)).toEqual(['RequestInvalid', 'RequestInvalid']);
  });
});

describe('the patch of the webhook', () => {
  const nvidia = { gpuCorePolicy: 'force', overwriteEnv: true } as const;
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/priority': 1 };
  const pod = makeRawPod({
    containers: [makeRawContainer(limits, { lifecycleFromTheFuture: { a: 1 } }), { name: 'side' }],
  });
  const namesOf = ({ spec }: typeof pod) =>
    spec.containers.map((container) =>
      ((container as { env?: { name: string }[] }).env ?? []).map(({ name }) => name),
    );

  it('Q22: keeps the fields that nobody here knows', () => {
    const { patched } = mustAdmit(pod, makeAdmissionDeps({ nvidia }));
    // The reference sends back what its own types hold of the pod, and those two fields are gone.
    expect(patched.spec.fieldFromTheFuture).toEqual(pod.spec.fieldFromTheFuture);
    expect(patched.spec.containers[0]).toMatchObject({ lifecycleFromTheFuture: { a: 1 } });
  });

  it('Q22: adds nothing when the webhook runs again', () => {
    const deps = makeAdmissionDeps({ nvidia });
    const { patched } = mustAdmit(pod, deps);
    expect(namesOf(patched)).toEqual([
      ['CUDA_TASK_PRIORITY', 'GPU_CORE_UTILIZATION_POLICY'],
      ['GPU_CORE_UTILIZATION_POLICY', 'NVIDIA_VISIBLE_DEVICES'],
    ]);
    // The reference appends each variable a second time.
    expect(mustAdmit(patched, deps).patch).toEqual([]);
  });
});
