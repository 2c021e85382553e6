/** The environment variables that admission sets (spec §4.4, steps 2, 3 and 7), each at most once (Q22). */
import { describe, expect, it } from '@jest/globals';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { makeAdmissionDeps, makeRawContainer, makeRawPod, mustAdmit } from './admission-fixture.ts';

const gpu = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '1000' };
const low = { ...gpu, 'nvidia.com/priority': '1' };
const fromSecret = { secretKeyRef: { name: 's', key: 'k' } };

interface EnvCase {
  readonly name: string;
  readonly limits: Readonly<Record<string, string>>;
  readonly nvidia?: Partial<NvidiaConfig>;
  /** Left out: the container has no `env` at all. */
  readonly env?: readonly object[] | null;
  readonly wantEnv: readonly object[] | null | undefined;
}

const cases: readonly EnvCase[] = [
  {
    name: 'priority becomes a variable of a container without any',
    limits: low,
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'priority becomes a variable where env is null',
    limits: low,
    env: null,
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'priority comes after the variables that are there',
    limits: low,
    env: [{ name: 'A', value: 'b' }],
    wantEnv: [
      { name: 'A', value: 'b' },
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
    ],
  },
  {
    name: 'priority is added to an empty list',
    limits: low,
    env: [],
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'priority 0 is written, for it is the high one',
    limits: { ...gpu, 'nvidia.com/priority': '0' },
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '0' }],
  },
  {
    name: 'a variable with the wanted value stays',
    limits: low,
    env: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'a variable with another value is replaced in its place',
    limits: low,
    env: [
      { name: 'CUDA_TASK_PRIORITY', value: '0' },
      { name: 'A', value: 'b' },
    ],
    wantEnv: [
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
      { name: 'A', value: 'b' },
    ],
  },
  {
    name: 'a variable from elsewhere is replaced whole, for an entry has one source',
    limits: low,
    env: [{ name: 'CUDA_TASK_PRIORITY', valueFrom: fromSecret }],
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'of two entries the last is in force and is set',
    limits: low,
    env: [
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
      { name: 'CUDA_TASK_PRIORITY', value: '0' },
    ],
    wantEnv: [
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
    ],
  },
  {
    name: 'of two entries the last has the value, and both stay',
    limits: low,
    env: [
      { name: 'CUDA_TASK_PRIORITY', value: '0' },
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
    ],
    wantEnv: [
      { name: 'CUDA_TASK_PRIORITY', value: '0' },
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
    ],
  },
  {
    name: 'a priority is written by value, however it is spelled',
    limits: { ...gpu, 'nvidia.com/priority': '1e0' },
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  {
    name: 'priority is written for a container without cards, too, which it does not give any',
    limits: { 'nvidia.com/priority': '1' },
    wantEnv: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }],
  },
  { name: 'the default core policy needs no variable', limits: gpu, wantEnv: undefined },
  {
    name: 'another core policy is written',
    limits: gpu,
    nvidia: { gpuCorePolicy: 'force' },
    wantEnv: [{ name: 'GPU_CORE_UTILIZATION_POLICY', value: 'force' }],
  },
  {
    name: 'the core policy of the cluster wins over the one in the pod',
    limits: gpu,
    nvidia: { gpuCorePolicy: 'force' },
    env: [{ name: 'GPU_CORE_UTILIZATION_POLICY', value: 'disable' }],
    wantEnv: [{ name: 'GPU_CORE_UTILIZATION_POLICY', value: 'force' }],
  },
  {
    name: 'priority and policy go together',
    limits: low,
    nvidia: { gpuCorePolicy: 'disable' },
    wantEnv: [
      { name: 'CUDA_TASK_PRIORITY', value: '1' },
      { name: 'GPU_CORE_UTILIZATION_POLICY', value: 'disable' },
    ],
  },
  {
    name: 'a container without cards sees none where overwriteEnv is on',
    limits: {},
    nvidia: { overwriteEnv: true },
    wantEnv: [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'none' }],
  },
  {
    name: 'a container without cards cannot name any where overwriteEnv is on',
    limits: {},
    nvidia: { overwriteEnv: true },
    env: [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' }],
    wantEnv: [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'none' }],
  },
  {
    name: 'a count of 0 is a container without cards',
    limits: { 'nvidia.com/gpu': '0' },
    nvidia: { overwriteEnv: true },
    wantEnv: [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'none' }],
  },
  {
    name: 'a container with cards is told of them by the device plugin alone',
    limits: gpu,
    nvidia: { overwriteEnv: true },
    wantEnv: undefined,
  },
];

describe('environment variables that admission sets', () => {
  it.each(cases)('$name', ({ limits, nvidia = {}, env, wantEnv }) => {
    const withEnv = (value: unknown) =>
      makeRawPod({ containers: [makeRawContainer(limits, value === undefined ? {} : { env: value })] });
    const { patched } = mustAdmit(withEnv(env), makeAdmissionDeps({ nvidia }));
    expect(patched).toEqual(withEnv(wantEnv));
  });

  it('sets the variables of init containers, too', () => {
    const pod = makeRawPod({ initContainers: [makeRawContainer(low, { name: 'init', env: [] })] });
    const { patched } = mustAdmit(pod, makeAdmissionDeps());
    expect(patched.spec.initContainers).toEqual([
      makeRawContainer(low, { name: 'init', env: [{ name: 'CUDA_TASK_PRIORITY', value: '1' }] }),
    ]);
  });
});
