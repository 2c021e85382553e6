import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAdmissionPod, parseAdmissionReview } from '../../src/wire/admission-review.ts';
import { expectGolden } from '../support/golden.ts';

/** A review as the API server sends it for a new pod. */
function makeReview(version: 'v1' | 'v1beta1', request: Record<string, unknown> = {}) {
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      name: 'gpu-pod',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'jane', groups: ['system:authenticated'] },
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { name: 'gpu-pod', creationTimestamp: null },
        spec: {},
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  };
}

describe('parseAdmissionReview', () => {
  it.each(['v1', 'v1beta1'] as const)('pins a review of %s', (version) => {
    const body = makeReview(version);
    expectGolden(`admission-review-${version}`, { received: body, parsed: parseAdmissionReview(body) });
  });

  const cases: { name: string; request: Record<string, unknown>; want: Record<string, unknown> }[] = [
    { name: 'a dry run', request: { dryRun: true }, want: { dryRun: true } },
    { name: 'an update', request: { operation: 'UPDATE' }, want: { operation: 'UPDATE' } },
    {
      name: 'a deletion, without object',
      request: { operation: 'DELETE', object: null },
      want: { operation: 'DELETE', object: null },
    },
    {
      name: 'a sub-resource',
      request: { subResource: 'binding' },
      want: { resource: 'pods', subResource: 'binding' },
    },
    {
      name: 'another resource, whose object is not looked at',
      request: { resource: { group: 'apps', version: 'v1', resource: 'deployments' }, object: { spec: 7 } },
      want: { resource: 'deployments', object: { spec: 7 } },
    },
    {
      name: 'the least a review may hold',
      request: { operation: null, resource: null, subResource: null, namespace: null, dryRun: null },
      want: { operation: 'CREATE', resource: 'pods', subResource: '', namespace: '', dryRun: false },
    },
  ];
  it.each(cases)('reads $name', ({ request, want }) => {
    expect(parseAdmissionReview(makeReview('v1', request))).toEqual({
      ok: true,
      value: expect.objectContaining(want) as unknown,
    });
  });

  const refused: { name: string; body: unknown; wantProblem: RegExp }[] = [
    {
      name: 'a review without uid',
      body: makeReview('v1', { uid: undefined }),
      wantProblem: /^request: .*uid/,
    },
    { name: 'an empty uid', body: makeReview('v1', { uid: '' }), wantProblem: /^request\.uid: / },
    { name: 'a uid of null', body: makeReview('v1', { uid: null }), wantProblem: /^request\.uid: / },
    {
      name: 'no request',
      body: { ...makeReview('v1'), request: undefined },
      wantProblem: /^document: .*request/,
    },
    { name: 'a request of null', body: { ...makeReview('v1'), request: null }, wantProblem: /^request: / },
    {
      name: 'another version',
      body: { ...makeReview('v1'), apiVersion: 'admission.k8s.io/v2' },
      wantProblem: /^apiVersion: must be one of admission\.k8s\.io\/v1, admission\.k8s\.io\/v1beta1/,
    },
    { name: 'no version', body: { ...makeReview('v1'), apiVersion: undefined }, wantProblem: /apiVersion/ },
    { name: 'another kind', body: { ...makeReview('v1'), kind: 'ConversionReview' }, wantProblem: /^kind: / },
    {
      name: 'a dry run in words',
      body: makeReview('v1', { dryRun: 'false' }),
      wantProblem: /^request\.dryRun: /,
    },
    { name: 'no body', body: undefined, wantProblem: /^document: / },
    { name: 'a list', body: [makeReview('v1')], wantProblem: /^document: / },
  ];
  it.each(refused)('refuses $name', ({ body, wantProblem }) => {
    const received: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
    const review = parseAdmissionReview(received);
    expect(review.ok ? review : review.problem).toEqual(expect.stringMatching(wantProblem));
  });

  it('never throws', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(null, 'CREATE', {}, []));
    const request = fc.dictionary(fc.constantFrom('uid', 'operation', 'resource', 'object', 'dryRun'), value);
    const shaped = request.map((parts) => ({ ...makeReview('v1beta1'), request: { uid: 'u1', ...parts } }));
    fc.assert(
      fc.property(fc.oneof(shaped, fc.jsonValue()), (body) => {
        const review = parseAdmissionReview(body);
        if (!review.ok) expect(review.problem).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('parseAdmissionPod', () => {
  const accepted: { name: string; pod: unknown }[] = [
    { name: 'an empty pod', pod: {} },
    { name: 'a spec of null', pod: { spec: null } },
    {
      name: 'containers of null',
      pod: { spec: { containers: null, initContainers: null, runtimeClassName: null } },
    },
    {
      name: 'environment and security context in all forms',
      pod: {
        spec: {
          runtimeClassName: 'nvidia',
          initContainers: [{ name: 'i', env: null, securityContext: null }],
          containers: [
            {
              name: 'c',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', valueFrom: { fieldRef: {} } },
                { name: 'C', value: null },
              ],
              securityContext: { privileged: true, runAsUser: 0 },
              resources: { limits: { cpu: 1 } },
            },
          ],
        },
      },
    },
  ];
  it.each(accepted)('takes $name as it is', ({ pod }) => {
    const result = parseAdmissionPod(pod);
    expect(result.ok && result.value).toBe(pod);
  });

  const container = (parts: object) => ({ spec: { containers: [{ name: 'c', ...parts }] } });
  const refused: { name: string; pod: unknown; wantProblem: RegExp }[] = [
    { name: 'no pod', pod: null, wantProblem: /^document: / },
    {
      name: 'an environment that is no list',
      pod: container({ env: {} }),
      wantProblem: /^spec\.containers\.0\.env: /,
    },
    {
      name: 'a variable without name',
      pod: container({ env: [{ value: '1' }] }),
      wantProblem: /^spec\.containers\.0\.env\.0: .*name/,
    },
    {
      name: 'a variable that is a number',
      pod: container({ env: [{ name: 'A', value: 1 }] }),
      wantProblem: /^spec\.containers\.0\.env\.0\.value: /,
    },
    {
      name: 'privileged in words',
      pod: container({ securityContext: { privileged: 'true' } }),
      wantProblem: /^spec\.containers\.0\.securityContext\.privileged: /,
    },
    {
      name: 'a container of null',
      pod: { spec: { containers: [null] } },
      wantProblem: /^spec\.containers\.0: /,
    },
    {
      name: 'a runtime class that is a number',
      pod: { spec: { runtimeClassName: 7 } },
      wantProblem: /^spec\.runtimeClassName: /,
    },
    {
      name: 'what the scheduler would refuse',
      pod: container({ resources: { limits: { cpu: [] } } }),
      wantProblem: /^spec\.containers\.0\.resources\.limits\.cpu: /,
    },
  ];
  it.each(refused)('refuses $name', ({ pod, wantProblem }) => {
    const result = parseAdmissionPod(pod);
    expect(result.ok ? result : result.problem).toEqual(expect.stringMatching(wantProblem));
  });
});
