import { describe, expect, it } from '@jest/globals';
import { loadSealKey } from '../../src/kubernetes/seal-key.ts';
import { type TestCluster, testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const secrets = '/api/v1/namespaces/tessera-system/secrets';
const secret = `${secrets}/tessera-seal`;
const key = Buffer.from('an example of 32 bytes, not more');
const load = (cluster: TestCluster, bytes = key) =>
  cluster.drive(
    loadSealKey({ client: cluster.client, namespace: 'tessera-system', randomBytes: () => bytes }),
  );

function storeSecret(cluster: TestCluster, fields: object): void {
  cluster.model.put(secret, {
    metadata: { name: 'tessera-seal', namespace: 'tessera-system' },
    ...fields,
  });
}

describe('the key of the seal', () => {
  it('is made once and found again', async () => {
    const cluster = await startCluster();
    const asked: number[] = [];
    const randomBytes = (count: number) => {
      asked.push(count);
      return key;
    };
    const options = { client: cluster.client, namespace: 'tessera-system', randomBytes };
    expect(await loadSealKey(options)).toEqual({ kind: 'found', key });
    expect(await load(cluster, Buffer.alloc(32))).toEqual({ kind: 'found', key });
    expect(asked).toEqual([32]);
    expect(cluster.journal).toEqual([`GET ${secret}`, `POST ${secrets}`, `GET ${secret}`]);
    expect(cluster.bodies('POST')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'tessera-seal', namespace: 'tessera-system' },
        type: 'Opaque',
        data: { key: key.toString('base64') },
      },
    ]);
  });

  it('is the one stored first when two make it at once', async () => {
    const cluster = await startCluster();
    const keys = [key, Buffer.alloc(32, 9)].map((bytes) => load(cluster, bytes));
    const [one, other] = await Promise.all(keys);
    expect(one?.kind).toBe('found');
    expect(other).toEqual(one);
    expect(cluster.bodies('POST')).toHaveLength(2);
  });

  it('is refused when the one that came first cannot be read', async () => {
    const cluster = await startCluster();
    cluster.fail('POST /secrets', { kind: 'answer', status: 409 });
    expect(await load(cluster)).toMatchObject({ kind: 'failed' });
  });

  it.each([
    { name: 'without data', fields: {} },
    { name: 'with no data', fields: { data: null } },
    { name: 'without the field', fields: { data: { other: key.toString('base64') } } },
    { name: 'with too short a key', fields: { data: { key: key.subarray(1).toString('base64') } } },
    { name: 'with an empty key', fields: { data: { key: '' } } },
    { name: 'with a key that is no text', fields: { data: { key: 7 } } },
  ])('is refused, not replaced, for a Secret $name', async ({ fields }) => {
    const cluster = await startCluster();
    storeSecret(cluster, fields);
    expect(await load(cluster)).toEqual({
      kind: 'failed',
      problem:
        'Secret tessera-system/tessera-seal: field key does not hold 32 bytes; delete the Secret to have it made anew',
    });
    expect(cluster.journal).toEqual([`GET ${secret}`]);
  });

  it.each([
    { name: 'it may not be read', what: `GET ${secret}`, status: 403, wantKind: 'forbidden' },
    { name: 'it may not be made', what: 'POST /secrets', status: 403, wantKind: 'forbidden' },
    { name: 'nobody knows us', what: `GET ${secret}`, status: 401, wantKind: 'failed' },
    { name: 'the server fails', what: `GET ${secret}`, status: 500, wantKind: 'failed' },
  ])('is refused with the server’s word when $name', async ({ what, status, wantKind }) => {
    const cluster = await startCluster();
    cluster.fail(what, { kind: 'answer', status });
    expect(await load(cluster)).toEqual({
      kind: wantKind,
      problem: `Secret tessera-system/tessera-seal: HTTP ${status} Fault: asked for by the test`,
    });
  });

  it('is refused when nothing answers, and when the answer is no object', async () => {
    const cluster = await startCluster();
    cluster.fail(`GET ${secret}`, { kind: 'silentBeforeCommit' });
    expect(await load(cluster)).toMatchObject({
      kind: 'failed',
      problem: expect.stringContaining('no answer within'),
    });
    cluster.fail(`GET ${secret}`, { kind: 'text', text: 'null' });
    expect(await load(cluster)).toMatchObject({ kind: 'failed' });
  });
});
