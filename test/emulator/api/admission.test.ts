/** Webhooks over real HTTPS, with certificates made for the test. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import type { PemPair } from '../../../src/certificates/pem.ts';
import type { ServiceReference } from '../../../src/emulator/api/webhook-call.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type EmulatorFixture, podNamed, podsPath, startFixture } from './emulator-fixture.ts';

interface Review {
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly dryRun: boolean;
    readonly namespace: string;
    readonly object: {
      readonly metadata: { readonly name?: string; readonly uid?: string };
      readonly spec: { readonly containers: readonly { readonly resources: unknown }[] };
    };
  };
}

type Respond = (review: Review) => object | undefined;

const patchOf = (operations: readonly object[]) => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

describe('admission', () => {
  let authority: PemPair;
  let otherAuthority: PemPair;
  let server: Server;
  let reviews: Review[];
  /** The response of the review; undefined never answers. */
  let respond: Respond;

  beforeAll(async () => {
    const nowMs = Date.now();
    [authority, otherAuthority] = (await Promise.all(
      ['one', 'other'].map((commonName) => issueAuthority({ commonName, validDays: 1, nowMs })),
    )) as [PemPair, PemPair];
    const leaf = await issueLeaf({
      authority,
      names: ['tessera.tessera-system.svc', '127.0.0.1'],
      validDays: 1,
      nowMs,
    });
    if (!leaf.ok) throw new Error(leaf.problem);
    server = createServer({ cert: leaf.value.certificate, key: leaf.value.key }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Review;
        reviews.push(review);
        const answer = respond(review);
        if (answer === undefined) return;
        const { uid } = review.request;
        response.end(
          JSON.stringify({ ...review, request: undefined, response: { uid, allowed: true, ...answer } }),
        );
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });

  beforeEach(() => {
    reviews = [];
    respond = () => ({});
  });

  afterEach(() => {
    server.closeAllConnections();
  });

  afterAll(() => {
    server.close();
  });

  const port = () => (server.address() as AddressInfo).port;
  const bundleOf = ({ certificate }: PemPair) => Buffer.from(certificate).toString('base64');
  const byUrl = () => ({ url: `https://127.0.0.1:${port()}/webhook`, caBundle: bundleOf(authority) });

  async function register(fixture: EmulatorFixture, webhook: object, name = 'tessera'): Promise<void> {
    const webhooks = [
      {
        name: `${name}.example.com`,
        clientConfig: byUrl(),
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        ...webhook,
      },
    ];
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const answer = await fixture.client.send('POST', path, { body: { metadata: { name }, webhooks } });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  }

  it('shows the webhook a pod with defaults and stored spellings, and stores what it makes of it', async () => {
    const fixture = await startFixture();
    await register(fixture, {});
    respond = () =>
      patchOf([
        { op: 'add', path: '/spec/schedulerName', value: 'tessera-scheduler' },
        { op: 'add', path: '/spec/containers/0/resources/limits/nvidia.com~1gpu', value: 1 },
      ]);
    const body = {
      metadata: { generateName: 'g-' },
      spec: {
        containers: [{ name: 'main', image: 'a', resources: { limits: { 'nvidia.com/gpumem': 3000 } } }],
      },
    };
    const created = await fixture.client.send('POST', podsPath, { body });
    const amounts = { 'nvidia.com/gpumem': '3k' };
    expect(reviews).toMatchObject([
      {
        apiVersion: 'admission.k8s.io/v1',
        request: {
          operation: 'CREATE',
          namespace: 'default',
          dryRun: false,
          resource: { group: '', version: 'v1', resource: 'pods' },
          object: {
            kind: 'Pod',
            spec: {
              restartPolicy: 'Always',
              containers: [{ resources: { limits: amounts, requests: amounts } }],
            },
          },
        },
      },
    ]);
    // The server sets names and UIDs after admission.
    expect(reviews[0]?.request.object.metadata.uid).toBeUndefined();
    expect(reviews[0]?.request.object.metadata.name ?? '').toBe('');
    const wantAmounts = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '3k' };
    expect(created).toMatchObject({
      status: 201,
      body: {
        spec: {
          schedulerName: 'tessera-scheduler',
          containers: [{ resources: { limits: wantAmounts, requests: wantAmounts } }],
        },
      },
    });
  });

  it('calls a Service by its DNS name at the address of the resolver', async () => {
    const asked: ServiceReference[] = [];
    const fixture = await startFixture({
      resolveService: (service) => {
        asked.push(service);
        return { host: '127.0.0.1', port: port() };
      },
    });
    const service = { name: 'tessera', namespace: 'tessera-system', path: '/webhook' };
    await register(fixture, { clientConfig: { service, caBundle: bundleOf(authority) } });
    expect(await fixture.client.send('POST', podsPath, { body: podNamed('a') })).toMatchObject({
      status: 201,
    });
    expect(asked).toEqual([{ name: 'tessera', namespace: 'tessera-system', port: 443 }]);
    expect(reviews).toHaveLength(1);
  });

  it('hands warnings to the client', async () => {
    const fixture = await startFixture();
    await register(fixture, {});
    respond = () => ({ warnings: ['memory is "small"\nreally', 'für alle'] });
    const { headers } = await fixture.client.send('POST', podsPath, { body: podNamed('a') });
    expect(Buffer.from(String(headers.warning), 'latin1').toString('utf8')).toBe(
      String.raw`299 - "memory is \"small\" really", 299 - "für alle"`,
    );
  });

  it.each([
    {
      name: 'in the words of the webhook',
      status: { code: 403, reason: 'Forbidden', message: 'no such card' },
      want: { code: 403, reason: 'Forbidden', message: 'denied the request: no such card' },
    },
    {
      name: 'with 400 where it names no code',
      status: { message: 'no' },
      want: { code: 400, message: 'denied the request: no' },
    },
    {
      name: 'without words where it has none',
      status: {},
      want: { code: 400, message: 'without explanation' },
    },
  ])('refuses a pod $name', async ({ status, want }) => {
    const fixture = await startFixture();
    await register(fixture, {});
    respond = () => ({ allowed: false, status });
    const answer = await fixture.client.send('POST', podsPath, { body: podNamed('a') });
    expect(answer).toMatchObject({
      status: want.code,
      body: { ...want, message: expect.stringContaining(want.message) },
    });
    expect(String(answer.body['message'])).toContain('admission webhook "tessera.example.com"');
    expect(await fixture.client.send('GET', `${podsPath}/a`)).toMatchObject({ status: 404 });
  });

  const broken: readonly { name: string; webhook: () => object; answer?: Respond }[] = [
    {
      name: 'nobody listens',
      webhook: () => ({ clientConfig: { ...byUrl(), url: 'https://127.0.0.1:1/webhook' } }),
    },
    { name: 'the URL is not HTTPS', webhook: () => ({ clientConfig: { url: 'http://127.0.0.1/webhook' } }) },
    {
      name: 'its certificate is of another authority',
      webhook: () => ({ clientConfig: { ...byUrl(), caBundle: bundleOf(otherAuthority) } }),
    },
    {
      name: 'its Service has no address',
      webhook: () => ({
        clientConfig: { service: { name: 'x', namespace: 'y' }, caBundle: bundleOf(authority) },
      }),
    },
    { name: 'it answers another review', webhook: () => ({}), answer: () => ({ uid: 'other' }) },
  ];

  it.each(broken)('lets the pod pass when $name and failurePolicy is Ignore', async ({ webhook, answer }) => {
    const fixture = await startFixture();
    if (answer !== undefined) respond = answer;
    await register(fixture, { ...webhook(), failurePolicy: 'Ignore' });
    expect(await fixture.client.send('POST', podsPath, { body: podNamed('a') })).toMatchObject({
      status: 201,
    });
  });

  it.each(broken)('refuses the pod when $name and failurePolicy is Fail', async ({ webhook, answer }) => {
    const fixture = await startFixture();
    if (answer !== undefined) respond = answer;
    await register(fixture, { ...webhook(), failurePolicy: 'Fail' });
    const refused = await fixture.client.send('POST', podsPath, { body: podNamed('a') });
    expect(refused).toMatchObject({ status: 500, body: { reason: 'InternalError', code: 500 } });
    expect(String(refused.body['message'])).toContain('failed calling webhook "tessera.example.com"');
  });

  it('waits as long as the webhook is given, by the clock', async () => {
    const clock = new ManualClock();
    const fixture = await startFixture({ clock });
    await register(fixture, { timeoutSeconds: 3, failurePolicy: 'Ignore' });
    respond = () => {
      // Asked, and never answered: time passes.
      clock.advance(3_000);
      return undefined;
    };
    expect(await fixture.client.send('POST', podsPath, { body: podNamed('a') })).toMatchObject({
      status: 201,
    });
    expect(reviews).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    {
      name: 'the object selector',
      webhook: { objectSelector: { matchLabels: { use: 'yes' } } },
      wantCalls: ['b'],
    },
    {
      name: 'the namespace selector',
      webhook: {
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['default'] }],
        },
      },
      wantCalls: [],
    },
    {
      name: 'its rules',
      webhook: {
        rules: [{ operations: ['UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      },
      wantCalls: [],
    },
    {
      name: 'no condition: all are taken as true',
      webhook: { matchConditions: [{ name: 'never', expression: 'false' }] },
      wantCalls: ['a', 'b'],
    },
  ])('calls the webhook by $name', async ({ webhook, wantCalls }) => {
    const fixture = await startFixture();
    await register(fixture, webhook);
    await fixture.client.send('POST', podsPath, { body: podNamed('a') });
    await fixture.client.send('POST', podsPath, { body: podNamed('b', { labels: { use: 'yes' } }) });
    expect(reviews.map(({ request }) => request.object.metadata.name)).toEqual(wantCalls);
  });

  it('calls webhooks in the order of their configurations, each with the pod of the one before', async () => {
    const fixture = await startFixture();
    await register(fixture, {}, 'second');
    await register(fixture, {}, 'first');
    respond = () =>
      patchOf([{ op: 'add', path: '/metadata/labels', value: { seen: String(reviews.length) } }]);
    const created = await fixture.client.send('POST', podsPath, { body: podNamed('a') });
    expect(reviews[1]?.request.object.metadata).toMatchObject({ labels: { seen: '1' } });
    expect(created.body).toMatchObject({ metadata: { labels: { seen: '2' } } });
  });

  it('tells a dry run from a real one, and stores nothing', async () => {
    const fixture = await startFixture();
    await register(fixture, {});
    await fixture.client.send('POST', `${podsPath}?dryRun=All`, { body: podNamed('a') });
    expect(reviews[0]?.request.dryRun).toBe(true);
    expect(await fixture.client.send('GET', `${podsPath}/a`)).toMatchObject({ status: 404 });
  });

  it('fails on a patch that cannot be applied', async () => {
    const fixture = await startFixture();
    await register(fixture, { failurePolicy: 'Ignore' });
    respond = () => patchOf([{ op: 'remove', path: '/spec/absent' }]);
    expect(await fixture.client.send('POST', podsPath, { body: podNamed('a') })).toMatchObject({
      status: 500,
    });
  });
});
