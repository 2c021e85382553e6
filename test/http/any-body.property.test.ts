/** Decoders survive whatever is posted: an answer in the protocol of the route, never an internal error. */
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { post } from './exchange.ts';
import { sampleNodes, samplePods } from './sample-cluster.ts';
import { makeServedApp } from './served-app.ts';

// Hundreds of requests, on a machine that may be busy.
jest.setTimeout(20_000);

const field = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 2,
    arbitrary: fc.record({
      metadata: fc.jsonValue({ maxDepth: 2 }),
      spec: fc.record({ containers: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 2 }) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ items: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 2 }) }) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom('a100', 't4', '__proto__', ''), { maxLength: 3 }) },
);
const keys = ['Pod', 'pod', 'NodeNames', 'Nodes', 'PodName', 'PodNamespace', 'PodUID', 'Node', 'request'];
/** An empty body is another case (`extender-routes.test.ts`). */
const body = fc.oneof(
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1 }) },
  { weight: 1, arbitrary: fc.json() },
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom(...keys), field).map((value) => JSON.stringify(value)),
  },
);

interface Answer {
  readonly Error?: unknown;
}

describe('any body at all', () => {
  it.each([
    { path: '/filter', wantForm: (answer: Answer) => typeof answer.Error === 'string' },
    { path: '/prioritize', wantForm: (answer: Answer) => Array.isArray(answer) || 'Error' in answer },
    { path: '/bind', wantForm: (answer: Answer) => typeof answer.Error === 'string' },
  ])('$path is answered with 200 in its own form', async ({ path, wantForm }) => {
    const { app, lines } = makeServedApp({ nodes: sampleNodes, pods: samplePods });
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const response = await post(app, path, text);
        expect(response.status).toBe(200);
        expect(wantForm(response.body as Answer)).toBe(true);
      }),
      { numRuns: 150 },
    );
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('/webhook is answered with 400 or a review', async () => {
    const { app, lines } = makeServedApp({ nodes: sampleNodes });
    const review = fc
      .record({ uid: fc.constant('u'), object: field })
      .map((request) =>
        JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request }),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, review), async (text) => {
        const response = await post(app, '/webhook', text);
        expect([200, 400]).toContain(response.status);
      }),
      { numRuns: 200 },
    );
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
