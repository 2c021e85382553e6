/** `tessera serve` as people run it. Processes are slow, so each one here proves several things. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const example = fileURLToPath(new URL('../../examples/cluster.yaml', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tessera-serve-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const processes: Tessera[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((child) => child.cut()));
});

function run(...args: readonly string[]): Tessera {
  const child = new Tessera(args);
  processes.push(child);
  return child;
}

const urlOf = (child: Tessera) => child.printed(/"main":"(https?:[^"]+)".*"msg":"ready"/);

/** How it ended and how long that took from now, which must be seconds. */
async function endOf(child: Tessera, signal: NodeJS.Signals) {
  const beganMs = performance.now();
  child.signal(signal);
  const ending = await child.ended();
  return { ...ending, quick: performance.now() - beganMs < 5000 };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return response.json();
}

describe('tessera serve --snapshot over plain HTTP', () => {
  it('is ready within 10 s, answers every route, and ends with code 0 soon after SIGTERM', async () => {
    const pod = makePod({ containers: [{ limits: gpuLimits({ count: 1, memoryMiB: 1000 }) }] });
    const snapshot = join(directory, 'cluster.json');
    const items = [makeNodeObject({ name: 'n1', devices: [{}] }), makeNodeObject({ name: 'n2' }), pod];
    writeFileSync(snapshot, JSON.stringify({ kind: 'List', items: [...items, { kind: 'Namespace' }] }));

    const child = run('serve', '--snapshot', snapshot, '--listen', '127.0.0.1:0', '--insecure-http');
    const url = await urlOf(child);
    for (const path of ['/readyz', '/healthz', '/debug/state', '/explain/default/pod-1']) {
      expect({ path, status: (await fetch(url + path)).status }).toEqual({ path, status: 200 });
    }
    expect(await post(`${url}/filter`, { Pod: pod, NodeNames: ['n1', 'n2'] })).toMatchObject({
      NodeNames: ['n1'],
      FailedAndUnresolvableNodes: { n2: 'node unregistered' },
    });
    expect(await post(`${url}/prioritize`, { Pod: pod, NodeNames: ['n1'] })).toEqual([
      { Host: 'n1', Score: 10 },
    ]);
    const { name: PodName, namespace: PodNamespace, uid: PodUID } = pod.metadata ?? {};
    expect(await post(`${url}/bind`, { PodName, PodNamespace, PodUID, Node: 'n1' })).toEqual({ Error: '' });
    const request = { uid: 'u', object: pod };
    const review = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request };
    expect(await post(`${url}/webhook`, review)).toMatchObject({ response: { uid: 'u', allowed: true } });

    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const line of [
      'tessera_binds_total{result="bound"} 1',
      'tessera_synced 1',
      'tessera_ledger_entries{state="bound"} 1',
      'tessera_nodes{state="offering"} 1',
      'tessera_devices{vendor="NVIDIA",state="shared"} 1',
    ]) {
      expect(metrics.split('\n')).toContain(line);
    }

    const { code, quick, stdout, stderr } = await endOf(child, 'SIGTERM');
    expect({ code, quick, stderr }).toEqual({ code: 0, quick: true, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(lines[0]).toMatchObject({ msg: 'snapshot loaded', nodes: 2, pods: 1, others: { Namespace: 1 } });
    expect(lines.at(-1)).toMatchObject({ msg: 'shutting down', signal: 'SIGTERM' });
  });
});

describe('tessera serve --snapshot over HTTPS', () => {
  it('makes its own certificate where none is given, and ends with code 0 on SIGINT', async () => {
    const child = run('serve', '--snapshot', example, '--listen', '127.0.0.1:0');
    const url = await urlOf(child);
    expect(url).toMatch(/^https:/);
    const status = await new Promise((resolve, reject) => {
      get(`${url}/readyz`, { rejectUnauthorized: false, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(200);
    expect(await endOf(child, 'SIGINT')).toMatchObject({ code: 0, quick: true, stderr: '' });
  });
});

describe('tessera serve with something it cannot do', () => {
  const served = ['serve', '--snapshot', example];
  const broken = join(directory, 'config.yaml');
  writeFileSync(broken, 'listn: 127.0.0.1:0\nbodyLimitMiB: 0\n');
  const missing = join(directory, 'missing.yaml');

  it.each([
    {
      name: 'an unknown flag',
      args: [...served, '--insecure'],
      want: /^error: unknown option '--insecure'/,
    },
    {
      name: 'a missing snapshot',
      args: ['serve', '--snapshot', missing, '--listen', '127.0.0.1:0', '--insecure-http'],
      want: /^tessera: .*missing\.yaml: cannot be read: ENOENT[^\n]*\n$/,
    },
    {
      name: 'a broken configuration, with all its faults',
      args: [...served, '--config', broken],
      want: /^tessera: configuration: [^\n]*listn[^\n]*bodyLimitMiB[^\n]*\n$|^tessera: configuration: [^\n]*bodyLimitMiB[^\n]*listn[^\n]*\n$/,
    },
    {
      name: 'plain HTTP where others listen in',
      args: [...served, '--listen', '0.0.0.0:0', '--insecure-http'],
      want: /^tessera: --insecure-http serves loopback addresses only, not 0\.0\.0\.0:0\n$/,
    },
  ])('ends with code 1 and one sentence: $name', async ({ args, want }) => {
    const { code, stderr, stdout } = await run(...args).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(want);
    expect(stdout).not.toContain('"msg":"ready"');
  });

  it('ends with code 1 and one sentence: an occupied port', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await run(...served, '--listen', `127.0.0.1:${port}`, '--insecure-http').ended();
    await new Promise((resolve) => taken.close(resolve));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tessera: cannot listen on 127\.0\.0\.1:\d+ \(main\): [^\n]*EADDRINUSE[^\n]*\n$/);
  });
});
