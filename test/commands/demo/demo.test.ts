/** `tessera demo` as people run it, in a process of its own: here without a terminal. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommanderError } from 'commander';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { demoCommand } from '../../../src/commands/demo.ts';
import { runDemo } from '../../../src/commands/demo/run-demo.ts';
import { Tessera } from '../child-process.ts';

jest.setTimeout(30_000);

const processes: Tessera[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((child) => child.cut()));
});

function run(...args: readonly string[]): Tessera {
  const child = new Tessera(['demo', ...args]);
  processes.push(child);
  return child;
}

const readyLine = /^ready: (api=\S+ server=\S+ extender=\S+ metrics=\S+ kubeconfig=\S+)$/m;

async function addressesOf(child: Tessera): Promise<Readonly<Record<string, string>>> {
  const words = (await child.printed(readyLine)).split(' ');
  return Object.fromEntries(words.map((word) => word.split('=') as [string, string]));
}

describe('tessera demo', () => {
  it('runs a cluster to talk to, tells of every pod, and leaves nothing behind after an interrupt', async () => {
    const child = run('--nodes', '6', '--seed', '3');
    const { api = '', extender = '', metrics = '', kubeconfig = '' } = await addressesOf(child);
    expect(readFileSync(kubeconfig, 'utf8')).toContain(`server: ${api}`);
    expect((await fetch(`${extender}/readyz`)).status).toBe(200);
    const nodes = (await (await fetch(`${api}/api/v1/nodes`)).json()) as { items: readonly object[] };
    expect(nodes.items).toHaveLength(6);

    await child.printed(/(\S+-\d+) → \S+, cards? \d/);
    await child.printed(/(\S+-\d+) waits \(.*\): .*[A-Z]\w+/);
    const own = {
      metadata: { name: 'own', annotations: { 'tessera.io/run-seconds': '0.1' } },
      spec: {
        containers: [{ name: 'c', image: 'none', resources: { limits: { 'nvidia.com/gpumem': 100 } } }],
      },
    };
    const created = await fetch(`${api}/api/v1/namespaces/default/pods`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(own),
    });
    expect(created.status).toBe(201);
    await child.printed(/(own) finished on /);
    expect(await (await fetch(`${metrics}/metrics`)).text()).toMatch(
      /tessera_binds_total\{result="bound"\} [1-9]/,
    );

    const beganMs = performance.now();
    child.signal('SIGINT');
    // npm passes the terminal's interrupt on, so the process gets it twice.
    child.signal('SIGINT');
    const { code, stdout, stderr } = await child.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(performance.now() - beganMs).toBeLessThan(5000);
    expect(stdout.match(/^ready:/gm)).toHaveLength(1);
    expect(existsSync(dirname(kubeconfig))).toBe(false);
  });

  it('ends by itself after its time, and takes its files out of a folder that is given', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tessera-demo-test-'));
    const child = run('--nodes', '1', '--rate', '0', '--duration', '1', '--directory', directory);
    expect((await addressesOf(child))['kubeconfig']).toBe(join(directory, 'kubeconfig'));
    const { code, stdout, stderr } = await child.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('→');
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});

describe('refuses with one sentence', () => {
  it.each([
    { name: 'no nodes', args: ['--nodes', '0'], want: /--nodes <count>.*from 1 to 500/ },
    { name: 'half a node', args: ['--nodes', '1.5'], want: /whole number/ },
    { name: 'a rate that is no number', args: ['--rate', 'many'], want: /from 0 to 50/ },
    { name: 'a rate below nothing', args: ['--rate=-1'], want: /from 0 to 50/ },
  ])('$name', async ({ args, want }) => {
    const written: string[] = [];
    const command = demoCommand()
      .exitOverride()
      .configureOutput({ writeErr: (text) => written.push(text) });
    await expect(command.parseAsync(args, { from: 'user' })).rejects.toThrow(CommanderError);
    expect(written.join('')).toMatch(want);
  });

  const anyPort = '127.0.0.1:0';
  const problemOf = async (addresses: object) => {
    const result = await runDemo({
      nodes: 1,
      podsPerSecond: 0,
      seed: 1,
      logLevel: 'silent',
      listen: anyPort,
      listenApi: anyPort,
      listenExtender: anyPort,
      listenMetrics: anyPort,
      ended: Promise.resolve(),
      ...addresses,
    });
    return result.ok ? 'it runs' : result.problem;
  };

  it.each([
    { name: 'an API for everyone', addresses: { listenApi: '0.0.0.0:0' }, want: /loopback/ },
    { name: 'a word for an address', addresses: { listen: 'here' }, want: /"here"/ },
    { name: 'a word for the address of the API', addresses: { listenApi: 'here' }, want: /"here"/ },
  ])('$name', async ({ addresses, want }) => {
    expect(await problemOf(addresses)).toMatch(want);
  });

  it.each(['listenApi', 'listenExtender'])('an address that is taken: %s', async (flag) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const problem = await problemOf({ [flag]: address });
    await new Promise((resolve) => taken.close(resolve));
    expect(problem).toMatch(new RegExp(`^cannot listen on ${address} .*EADDRINUSE`));
  });
});
