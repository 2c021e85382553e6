import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen } from '../../src/http/listener.ts';
import {
  noMaterial,
  type ServingMaterial,
  supply,
} from '../../src/kubernetes/serving-certificate-material.ts';
import { ServingCertificate } from '../../src/kubernetes/serving-certificate.ts';
import type { Clock } from '../../src/model/clock.ts';
import type { Log } from '../../src/telemetry/logger.ts';
import { Journal } from '../support/journal.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { CertificateCluster } from './serving-certificate-cluster.ts';

const dayMs = 24 * 3600 * 1000;
const roundMs = 30_000;
const service = 'tessera.tessera-system.svc';

let cluster: CertificateCluster;
let opened: Replica[] = [];

beforeEach(async () => {
  cluster = await CertificateCluster.start();
  cluster.putWebhooks('tessera', [undefined, undefined]);
});
afterEach(async () => {
  for (const { kept } of opened) await kept.stop();
  opened = [];
  await cluster.close();
});

/** Tells when a round is over: only then is the next one set. */
class RoundClock extends ManualClock {
  readonly rounds = new Journal<number>();

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs === roundMs) this.rounds.add(this.nowMs());
    return super.after(delayMs, action);
  }
}

interface Replica {
  readonly kept: ServingCertificate;
  readonly warnings: string[];
  /** Until the next round is over. */
  readonly round: () => Promise<void>;
}

interface ReplicaFields {
  readonly names?: readonly string[];
  readonly nowMs?: number;
  readonly webhookConfigurations?: readonly string[];
}

const startMs = Date.UTC(2026, 0, 1);

function optionsOf(clock: Clock, fields: ReplicaFields, warnings: string[]) {
  const ignore = () => undefined;
  const warn = (values: Readonly<Record<string, unknown>>) => {
    warnings.push(`${String(values['subject'])}: ${String(values['reason'])}`);
  };
  return {
    client: cluster.client(clock),
    namespace: 'tessera-system',
    secretName: 'tessera-tls',
    webhookConfigurations: fields.webhookConfigurations ?? ['tessera'],
    names: fields.names ?? [service, '::1'],
    clock,
    log: { info: ignore, warn } as unknown as Log,
  };
}

async function start(fields: ReplicaFields = {}): Promise<Replica> {
  const clock = new RoundClock(fields.nowMs ?? startMs);
  const warnings: string[] = [];
  const kept = await ServingCertificate.open(optionsOf(clock, fields, warnings));
  if (!kept.ok) throw new Error(kept.problem);
  const replica = {
    kept: kept.value,
    warnings,
    round: async () => {
      const before = clock.rounds.entries.length;
      clock.advance(roundMs);
      await clock.rounds.atLeast(before + 1);
    },
  };
  opened.push(replica);
  return replica;
}

async function materialMade(
  nowMs: number,
  names: readonly string[] = [service, '::1'],
): Promise<ServingMaterial> {
  const made = await supply(noMaterial, 'everything', { names, nowMs });
  if (!made.ok) throw new Error(made.problem);
  return made.value;
}

/** With an authority that ends in less than two lives of a leaf, and a fresh leaf. */
async function materialWithOldAuthority(): Promise<ServingMaterial> {
  const old = await materialMade(startMs - (3650 - 179) * dayMs);
  const made = await supply(old, 'leaf', { names: [service, '::1'], nowMs: startMs });
  if (!made.ok) throw new Error(made.problem);
  return made.value;
}

function isSignedByOneOf(certificate: string, bundle: string): boolean {
  const leaf = new X509Certificate(certificate);
  return bundle
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((pem) => pem.includes('BEGIN'))
    .some((pem) => leaf.verify(new X509Certificate(pem).publicKey));
}

describe('a first start', () => {
  it('makes an authority and a leaf, stores both and tells every webhook', async () => {
    const { kept, warnings } = await start();
    expect(cluster.secret()).toMatchObject({ type: 'kubernetes.io/tls' });
    expect(cluster.field('tls.crt')).toBe(kept.current.certificate);
    expect(cluster.field('tls.key')).toBe(kept.current.key);
    const leaf = new X509Certificate(kept.current.certificate);
    expect(leaf.verify(new X509Certificate(cluster.field('ca.crt')).publicKey)).toBe(true);
    expect(leaf.checkHost(service)).toBe(service);
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(kept.current.notAfterMs).toBe(startMs + 90 * dayMs);
    expect(cluster.caBundles()).toEqual([cluster.field('ca.crt'), cluster.field('ca.crt')]);
    expect(warnings).toEqual([]);
  });

  it('changes nothing else in the webhooks', async () => {
    await start();
    expect(cluster.webhooks()[1]).toEqual({
      name: 'w1.tessera.io',
      clientConfig: {
        service: { name: 'tessera', namespace: 'tessera-system' },
        caBundle: cluster.secret()?.data['ca.crt'],
      },
    });
  });

  it('that loses the race for the Secret serves what the winner stored', async () => {
    const others = await materialMade(startMs);
    cluster.beforeWrite = () => {
      cluster.beforeWrite = () => undefined;
      cluster.putSecret(others);
    };
    const { kept } = await start();
    expect(kept.current.certificate).toBe(others.certificate);
    expect(cluster.field('tls.crt')).toBe(others.certificate);
  });

  it.each([
    {
      name: 'is refused when the Secret may not be read',
      method: 'GET',
      want: /tessera-system\/tessera-tls: HTTP 403/,
    },
    {
      name: 'is refused when the Secret may not be made',
      method: 'POST',
      want: /tessera-system\/tessera-tls: HTTP 403/,
    },
  ])('$name', async ({ method, want }) => {
    cluster.refuse = (asked) => (asked === method ? 403 : undefined);
    const answer = await ServingCertificate.open(optionsOf(new ManualClock(startMs), {}, []));
    expect(answer).toMatchObject({ ok: false, problem: expect.stringMatching(want) });
  });

  it('is refused when a name is none', async () => {
    const answer = await ServingCertificate.open(optionsOf(new ManualClock(startMs), { names: ['a b'] }, []));
    expect(answer).toMatchObject({ ok: false, problem: expect.stringContaining('"a b" is neither') });
  });
});

describe('a later start', () => {
  it('serves what is stored and writes nothing', async () => {
    const first = await start();
    const writes = cluster.writes.length;
    const second = await start();
    expect(second.kept.current).toEqual(first.kept.current);
    await second.round();
    expect(cluster.writes).toHaveLength(writes);
  });

  it('serves a good certificate even if it may not renew it', async () => {
    const stored = await materialMade(startMs - 61 * dayMs);
    cluster.putSecret(stored);
    cluster.refuse = (method) => (method === 'PUT' ? 403 : undefined);
    const { kept, warnings } = await start();
    expect(kept.current.certificate).toBe(stored.certificate);
    expect(warnings).toEqual([expect.stringMatching(/^Secret tessera-tls: HTTP 403/)]);
  });

  it.each([
    {
      name: 'replaces all of a Secret without an authority',
      damage: { 'ca.crt': 'x' },
      wantAuthorityKept: false,
    },
    {
      name: 'replaces all of a Secret with the key of another',
      damage: { 'ca.key': 'x' },
      wantAuthorityKept: false,
    },
    { name: 'replaces a leaf that is none', damage: { 'tls.crt': 'x' }, wantAuthorityKept: true },
    { name: 'replaces a leaf without its key', damage: { 'tls.key': '' }, wantAuthorityKept: true },
  ])('$name', async ({ damage, wantAuthorityKept }) => {
    const stored = await materialMade(startMs);
    cluster.putSecret(stored, { ...damage, 'own.txt': 'not ours' });
    const { kept } = await start();
    expect(cluster.field('tls.crt')).toBe(kept.current.certificate);
    expect(kept.current.certificate).not.toBe(stored.certificate);
    expect(isSignedByOneOf(kept.current.certificate, cluster.caBundles()[0]!)).toBe(true);
    expect(cluster.field('ca.crt') === stored.authorities).toBe(wantAuthorityKept);
    expect(cluster.field('own.txt')).toBe('not ours');
  });
});

it('a leaf of an authority that is not in the Secret is replaced', async () => {
  const [stored, other] = await Promise.all([materialMade(startMs), materialMade(startMs)]);
  cluster.putSecret({ ...stored, certificate: other.certificate, key: other.key });
  const { kept } = await start();
  expect(isSignedByOneOf(kept.current.certificate, stored.authorities)).toBe(true);
});

describe('renewal', () => {
  it.each([
    {
      name: 'leaves a leaf alone with more than a third of its life to go',
      ageDays: 59.9,
      wantRenewed: false,
    },
    { name: 'replaces a leaf with less than a third of its life to go', ageDays: 60.1, wantRenewed: true },
    { name: 'replaces a leaf that has ended', ageDays: 91, wantRenewed: true },
  ])('$name', async ({ ageDays, wantRenewed }) => {
    const stored = await materialMade(startMs - ageDays * dayMs);
    cluster.putSecret(stored);
    const { kept } = await start();
    expect(kept.current.certificate !== stored.certificate).toBe(wantRenewed);
    expect(kept.current.notAfterMs > startMs + 30 * dayMs).toBe(true);
    expect(cluster.field('ca.crt')).toBe(stored.authorities);
  });

  it('by another replica is taken over at the next look', async () => {
    const one = await start();
    const seen: string[] = [];
    one.kept.follow(({ certificate }) => seen.push(certificate));
    const renewed = await supply(
      {
        authorities: cluster.field('ca.crt'),
        authorityKey: cluster.field('ca.key'),
        certificate: '',
        key: '',
      },
      'leaf',
      { names: [service, '::1'], nowMs: startMs },
    );
    if (!renewed.ok) throw new Error(renewed.problem);
    cluster.putSecret(renewed.value);
    await one.round();
    expect(seen).toEqual([renewed.value.certificate]);
    expect(one.kept.current.certificate).toBe(renewed.value.certificate);
  });

  it('of two replicas at once happens once', async () => {
    const stored = await materialMade(startMs - 61 * dayMs);
    cluster.putSecret(stored);
    const [one, two] = await Promise.all([start(), start()]);
    await Promise.all([one.round(), two.round()]);
    expect(cluster.writes.filter((write) => write.startsWith('PUT'))).toHaveLength(1);
    expect(one.kept.current).toEqual(two.kept.current);
  });

  it('reaches a listening server without a pause', async () => {
    const { kept, round } = await start();
    const { certificate, key } = kept.current;
    const listener = await listen({
      app: (_, response) => response.end(),
      host: '127.0.0.1',
      port: 0,
      keepAliveSeconds: 1,
      tls: { certificate, key },
    });
    kept.follow((material) => {
      listener.useCertificate(material);
    });
    const before = await serialServed(listener.url);
    cluster.putSecret({ ...(await materialMade(startMs)) });
    await round();
    await round();
    const after = await serialServed(listener.url);
    await listener.close(0);
    expect(before).toBe(new X509Certificate(certificate).serialNumber);
    expect(after).toBe(new X509Certificate(cluster.field('tls.crt')).serialNumber);
    expect(after).not.toBe(before);
  });
});

function serialServed(url: string): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('names', () => {
  it('that were added are in the next leaf, beside those of a replica that knows others', async () => {
    const one = await start({ names: [service, 'former.example'] });
    const two = await start({ names: [service, 'Tessera.example', '10.0.0.7'] });
    await one.round();
    await two.round();
    await one.round();
    const leaf = new X509Certificate(one.kept.current.certificate);
    expect(leaf.subjectAltName).toBe(
      `DNS:${service}, DNS:tessera.example, IP Address:10.0.0.7, DNS:former.example`,
    );
    expect(two.kept.current).toEqual(one.kept.current);
    expect(cluster.writes.filter((write) => write.startsWith('PUT'))).toHaveLength(1);
  });
});

describe('a new authority', () => {
  it('is told before a leaf of it is served, by every replica at every moment', async () => {
    const old = await materialWithOldAuthority();
    cluster.putSecret(old);
    cluster.putWebhooks('tessera', [old.authorities, old.authorities]);
    const replicas = [await start(), await start()];
    const untrusted: string[] = [];
    cluster.afterWrite = () => {
      for (const { kept } of replicas) {
        for (const bundle of cluster.caBundles()) {
          if (!isSignedByOneOf(kept.current.certificate, bundle)) untrusted.push(cluster.writes.at(-1)!);
        }
      }
    };
    for (let round = 0; round < 4; round += 1) for (const replica of replicas) await replica.round();

    expect(untrusted).toEqual([]);
    const authorities = cluster.field('ca.crt');
    expect(authorities.endsWith(old.authorities)).toBe(true);
    const [fresh] = authorities.split(/(?<=-----END CERTIFICATE-----\n)/);
    for (const { kept } of replicas) expect(isSignedByOneOf(kept.current.certificate, fresh!)).toBe(true);
    expect(cluster.caBundles()).toEqual([authorities, authorities]);
  });

  it('signs no leaf as long as a webhook cannot be told', async () => {
    const old = await materialWithOldAuthority();
    cluster.putSecret(old);
    cluster.refuse = (_, path) => (path.includes('mutatingwebhook') ? 500 : undefined);
    const { round } = await start();
    await round();
    await round();
    expect(cluster.field('ca.crt').match(/BEGIN/g)).toHaveLength(2);
    expect(cluster.field('tls.crt')).toBe(old.certificate);
  });

  it('waits where a webhook cannot be told', async () => {
    const stored = await materialMade(startMs);
    cluster.putSecret(stored);
    const { kept, round } = await start();
    cluster.refuse = (_, path) => (path.includes('mutatingwebhook') ? 500 : undefined);
    cluster.putSecret(await materialMade(startMs));
    await round();
    await round();
    expect(kept.current.certificate).toBe(stored.certificate);
    cluster.refuse = () => undefined;
    await round();
    expect(kept.current.certificate).toBe(stored.certificate);
    await round();
    expect(kept.current.certificate).toBe(cluster.field('tls.crt'));
  });

  it('is the only one left once a whole leaf of it has been served', async () => {
    const old = await materialMade(startMs - 100 * dayMs);
    const both = await supply(old, 'authority', { names: [service], nowMs: startMs - 61 * dayMs });
    if (!both.ok) throw new Error(both.problem);
    const leaf = await supply(both.value, 'leaf', { names: [service, '::1'], nowMs: startMs - 61 * dayMs });
    if (!leaf.ok) throw new Error(leaf.problem);
    cluster.putSecret(leaf.value);
    await start();
    expect(cluster.field('ca.crt').match(/BEGIN/g)).toHaveLength(1);
    expect(leaf.value.authorities.startsWith(cluster.field('ca.crt'))).toBe(true);
    expect(cluster.caBundles()[0]).toBe(cluster.field('ca.crt'));
  });
});

describe('drift', () => {
  it('of a caBundle is healed at the next look', async () => {
    const { kept, round } = await start();
    const want = cluster.caBundles();
    cluster.putWebhooks('tessera', ['foreign', undefined]);
    await round();
    expect(cluster.caBundles()).toEqual(want);
    expect(isSignedByOneOf(kept.current.certificate, want[0]!)).toBe(true);
  });

  it.each([
    {
      name: 'of a Secret that is deleted is healed: it comes back as it was',
      drift: () => {
        cluster.deleteSecret();
      },
    },
    {
      name: 'of a Secret that is emptied is healed: it is filled as it was',
      drift: () => {
        cluster.putSecret(noMaterial);
      },
    },
  ])('$name', async ({ drift }) => {
    const { kept, round } = await start();
    const { data } = cluster.secret()!;
    const before = kept.current;
    drift();
    await round();
    expect(cluster.secret()?.data).toEqual(data);
    expect(kept.current).toEqual(before);
  });

  it('of a configuration that changes under our hands is healed later', async () => {
    const { round } = await start();
    const want = cluster.caBundles();
    cluster.putWebhooks('tessera', [undefined]);
    cluster.beforeWrite = () => {
      cluster.beforeWrite = () => undefined;
      cluster.putWebhooks('tessera', [undefined, undefined]);
    };
    await round();
    expect(cluster.caBundles()).toEqual(['', '']);
    await round();
    expect(cluster.caBundles()).toEqual(want);
  });
});

describe('trouble', () => {
  it('with the API server is warned of once, and what is served goes on', async () => {
    const { kept, warnings, round } = await start();
    const before = kept.current;
    cluster.refuse = () => 503;
    await round();
    await round();
    expect(kept.current).toEqual(before);
    expect(warnings).toEqual([
      'Secret tessera-tls: HTTP 503: refused by the test',
      'MutatingWebhookConfiguration tessera: HTTP 503: refused by the test',
    ]);
    cluster.refuse = () => undefined;
    cluster.putWebhooks('tessera', ['foreign']);
    await round();
    expect(cluster.caBundles()).toEqual([cluster.field('ca.crt')]);
  });

  it('with a configuration that does not exist is a warning, and over once it does', async () => {
    const { warnings, round } = await start({ webhookConfigurations: ['tessera', 'later'] });
    await round();
    expect(warnings).toEqual(['MutatingWebhookConfiguration later: does not exist']);
    cluster.putWebhooks('later', [undefined]);
    await round();
    expect(cluster.caBundles('later')).toEqual([cluster.field('ca.crt')]);
  });

  it('ends with the server: a stopped one looks no more', async () => {
    const clock = new RoundClock(startMs);
    const kept = await ServingCertificate.open(optionsOf(clock, {}, []));
    if (!kept.ok) throw new Error(kept.problem);
    await kept.value.stop();
    expect(clock.pending).toBe(0);
  });
});
