/**
 * Whatever a tenant sends and however the server is configured: admission answers, its patch can be applied, a second
 * review adds nothing, reserved keys never survive, and fields that are none of its business stay as they were.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { admit, type AdmissionAnswer } from '../../src/admission/admit.ts';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { makeNodeObject } from '../support/kubernetes-objects.ts';
import { makeAdmissionDeps, makeReview } from './admission-fixture.ts';
import { applyPatch } from './apply-patch.ts';

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** Mostly sound, so that most pods get past the first check. */
const quantity = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('0', '1', '2', '10', '50', '100', '3k', '1e2', 1, 100, '3000') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('16Gi', '1.5', '-1', '130', '1500m', 'all', '', -3, 0.5, '9'.repeat(40)),
  },
);
const resourceName = fc.constantFrom(
  'nvidia.com/gpu',
  'nvidia.com/gpumem',
  'nvidia.com/gpumem-percentage',
  'nvidia.com/gpucores',
  'nvidia.com/priority',
  'cpu',
  'toString',
);
const amounts = fc.dictionary(resourceName, quantity, { maxKeys: 4 });
const variable = fc.record(
  {
    name: fc.constantFrom('CUDA_TASK_PRIORITY', 'GPU_CORE_UTILIZATION_POLICY', 'NVIDIA_VISIBLE_DEVICES', 'A'),
    value: nullable(fc.constantFrom('', '0', '1', '100', 'force', 'none')),
    valueFrom: fc.constant({ fieldRef: { fieldPath: 'spec.nodeName' } }),
  },
  { requiredKeys: ['name'] },
);
const container = fc.record(
  {
    name: fc.constantFrom('main', 'other', ''),
    image: fc.string({ maxLength: 5 }),
    restartPolicy: fc.constant('Always'),
    resources: nullable(
      fc.record({ limits: nullable(amounts), requests: nullable(amounts) }, { requiredKeys: [] }),
    ),
    env: nullable(fc.array(variable, { maxLength: 4 })),
    securityContext: nullable(fc.record({ privileged: fc.boolean() }, { requiredKeys: [] })),
  },
  { requiredKeys: ['name'] },
);
const annotationKey = fc.constantFrom(
  'hami.io/vgpu-node',
  'hami.io/vgpu-devices-allocated',
  'hami.io/bind-phase',
  'nvidia.com/use-gputype',
  'tessera.io/seal',
  'tessera.io/kinds',
  'a/b~c',
);
const labelKey = fc.constantFrom('hami.io/vgpu-node', 'app', 'a/b~c');
const metadata = fc.record(
  {
    name: fc.constant('pod-1'),
    annotations: nullable(fc.dictionary(annotationKey, fc.string({ maxLength: 5 }), { maxKeys: 4 })),
    labels: nullable(fc.dictionary(labelKey, fc.string({ maxLength: 5 }), { maxKeys: 3 })),
  },
  { requiredKeys: [] },
);
const pod = fc.record(
  {
    metadata: nullable(metadata),
    spec: fc.record(
      {
        schedulerName: nullable(
          fc.constantFrom('', 'default-scheduler', 'tessera-scheduler', 'hami', 'volcano'),
        ),
        nodeName: nullable(fc.constantFrom('', '', '', 'n1')),
        runtimeClassName: nullable(fc.constant('kata')),
        initContainers: nullable(fc.array(container, { maxLength: 2 })),
        containers: fc.array(container, { maxLength: 3 }),
        volumes: fc.constant([{ name: 'v' }]),
      },
      { requiredKeys: ['containers'] },
    ),
  },
  { requiredKeys: ['spec'] },
);

const nvidia = fc.record({
  defaultGPUNum: fc.constantFrom(0, 1, 2),
  defaultMemory: fc.constantFrom(0, 512),
  overwriteEnv: fc.boolean(),
  gpuCorePolicy: fc.constantFrom('default', 'force', 'disable'),
  runtimeClassName: fc.constantFrom('', 'nvidia'),
  resourceMemoryName: fc.constantFrom('nvidia.com/gpumem', ''),
}) satisfies fc.Arbitrary<Partial<NvidiaConfig>>;
const deps = fc
  .record({
    nvidia: optional(nvidia),
    forceOverwriteDefaultScheduler: fc.boolean(),
    schedulerNames: fc.constantFrom(['tessera-scheduler'], ['hami', 'tessera-scheduler']),
    synced: fc.boolean(),
  })
  .map(({ nvidia: section, ...rest }) =>
    makeAdmissionDeps({
      ...rest,
      ...(section === undefined ? {} : { nvidia: section }),
      nodes: [makeNodeObject({ devices: [{}, {}] })],
    }),
  );

/** Every place that a patch of ours may name. */
const ownPlaces =
  /^\/(metadata\/(annotations|labels)\/[^/]+|spec\/(schedulerName|runtimeClassName)|spec\/(initContainers|containers)\/\d+\/(env(\/(\d+|-))?|resources(\/limits(\/[^/]+)?)?))$/;

describe('admission of any pod under any configuration', () => {
  it('patches its own places only, and a second review of the patched pod adds nothing', () => {
    let patched = 0;
    fc.assert(
      fc.property(pod, deps, (object, configured) => {
        const answer = admit(makeReview(object), configured);
        if (!answer.allowed) {
          expect(answer.code).toBe(403);
          expect(answer.message).not.toBe('');
          return;
        }
        for (const { path } of answer.patch) expect(path).toMatch(ownPlaces);
        const after = applyPatch<unknown>(object, answer.patch);
        if (answer.patch.length > 0) patched += 1;
        expect(JSON.stringify(after)).not.toMatch(/hami\.io\/(vgpu|bind)|tessera\.io\/seal/);
        const again = admit(makeReview(after), configured);
        expect(again).toMatchObject({ allowed: true, patch: [] });
      }),
      { numRuns: 2000 },
    );
    // The generator is worth nothing if hardly any pod needs a patch.
    expect(patched).toBeGreaterThan(200);
  });

  it('lets a request through to the scheduler only if each amount is a whole number', () => {
    fc.assert(
      fc.property(quantity, fc.constantFrom('gpumem', 'gpucores', 'gpu'), (value, field) => {
        const limits = { 'nvidia.com/gpu': '1', 'nvidia.com/gpucores': '1', [`nvidia.com/${field}`]: value };
        const object = { spec: { containers: [{ name: 'main', resources: { limits } }] } };
        const answer = admit(makeReview(object), makeAdmissionDeps());
        const isWhole = ['0', '1', '2', '10', '50', '100', '3k', '1e2', 1, 100, '3000', '130'].includes(
          value,
        );
        expect(answer.allowed).toBe(isWhole);
      }),
    );
  });

  it('answers any JSON at all with a decision', () => {
    const decisions = new Set<AdmissionAnswer['allowed']>();
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ spec: fc.jsonValue() })), (object) => {
        const answer = admit(makeReview(object), makeAdmissionDeps());
        decisions.add(answer.allowed);
        if (!answer.allowed) expect([400, 403]).toContain(answer.code);
      }),
      { numRuns: 500 },
    );
    expect(decisions.has(false)).toBe(true);
  });
});
