/** What one of several replicas answers, and what becomes of the connection it is asked on. */
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { extenderPaths } from '../../src/http/extender-routes.ts';
import type { Replica } from '../../src/http/follower.ts';
import { listen, type Listener } from '../../src/http/listener.ts';
import { bindingOf, allNames, sampleNodes, samplePods, smallPod } from './sample-cluster.ts';
import { makeServedApp, type ServedAppFields } from './served-app.ts';

const open: Listener[] = [];
const agents: Agent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(open.splice(0).map((listener) => listener.close(0)));
});

interface Answer {
  readonly body: string;
  readonly connection: string | undefined;
  /** Of the caller's end, so that two answers on one connection can be told. */
  readonly port: number | undefined;
}

/** Asks as kube-scheduler does: over one connection for as long as it lasts. */
async function startCaller(
  fields: ServedAppFields,
): Promise<(path: string, body: object) => Promise<Answer>> {
  const { app } = makeServedApp({ nodes: sampleNodes, pods: samplePods, ...fields });
  const listener = await listen({ app, host: '127.0.0.1', port: 0, keepAliveSeconds: 100 });
  open.push(listener);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return (path, body) =>
    new Promise((resolve, reject) => {
      const asked = httpRequest(
        listener.url + path,
        { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
        (response) => {
          const { connection } = response.headers;
          const port = response.socket.localPort;
          text(response).then((read) => {
            resolve({ body: read, connection, port });
          }, reject);
        },
      );
      asked.on('error', reject);
      asked.end(JSON.stringify(body));
    });
}

/** A scheduler that has just refused to commit. */
const refusing: ServedAppFields['wrapScheduler'] = (scheduler) => ({
  ...scheduler,
  bind: () => Promise.resolve({ ok: false, code: 'NotLeader', message: 'this replica does not lead' }),
});

const filterArgs = { Pod: smallPod, NodeNames: allNames };

describe('a follower', () => {
  const replica: Replica = { role: () => 'follower', leader: () => 's-2_b' };

  it.each(extenderPaths)('ends the connection with its answer to %s', async (path) => {
    const ask = await startCaller({ replica, wrapScheduler: refusing });
    const bodies = { '/bind': bindingOf(smallPod, 't4'), '/preempt': { Pod: smallPod } };
    const body = path in bodies ? bodies[path as keyof typeof bodies] : filterArgs;
    const first = await ask(path, body);
    expect(first.connection).toBe('close');
    expect((await ask(path, body)).port).not.toBe(first.port);
  });

  it('answers bind with an error that names the leader', async () => {
    const ask = await startCaller({ replica, wrapScheduler: refusing });
    const { body } = await ask('/bind', bindingOf(smallPod, 't4'));
    expect(JSON.parse(body)).toEqual({ Error: 'this replica does not lead; the lease is held by s-2_b' });
  });

  it('names nobody where nobody is known to lead', async () => {
    const ask = await startCaller({ replica: { role: () => undefined }, wrapScheduler: refusing });
    const { body } = await ask('/bind', bindingOf(smallPod, 't4'));
    expect(JSON.parse(body)).toEqual({ Error: 'this replica does not lead' });
  });

  it('filters like the leader', async () => {
    const [asFollower, asLeader] = await Promise.all(
      [replica, { role: () => 'leader' }].map(async (one) => {
        const ask = await startCaller({ replica: one });
        return (await ask('/filter', filterArgs)).body;
      }),
    );
    expect(asFollower).toEqual(asLeader);
  });

  it('ends the connection, too, when it lost the lead while a bind was under way', async () => {
    let role = 'leader';
    const ask = await startCaller({
      replica: { role: () => role },
      wrapScheduler: (scheduler) => ({
        ...scheduler,
        bind: (args, signal) => {
          role = 'follower';
          return scheduler.bind(args, signal);
        },
      }),
    });
    expect((await ask('/bind', bindingOf(smallPod, 't4'))).connection).toBe('close');
  });
});

describe('the leader, and a server without others', () => {
  it.each<{ name: string; replica: Replica }>([
    { name: 'the leader', replica: { role: () => 'leader', leader: () => 's-1_a' } },
    { name: 'one without others', replica: {} },
  ])('keep connections: $name', async ({ replica }) => {
    const ask = await startCaller({ replica });
    const first = await ask('/filter', filterArgs);
    expect(first.connection).toBe('keep-alive');
    const second = await ask('/bind', bindingOf(smallPod, 't4'));
    expect(second).toEqual({ body: '{"Error":""}', connection: 'keep-alive', port: first.port });
  });
});

describe('readyz', () => {
  it.each([
    { role: 'leader', want: 'ok, leader' },
    { role: 'follower', want: 'ok, follower' },
    { role: undefined, want: 'ok, role not known yet' },
  ])('says that a replica is ready and what it is: $want', async ({ role, want }) => {
    const { app } = makeServedApp({ replica: { role: () => role } });
    const { status, text } = await request(app).get('/readyz');
    expect({ status, text }).toEqual({ status: 200, text: want });
  });

  it('says of a follower, too, why it is not ready', async () => {
    const { app } = makeServedApp({
      replica: { role: () => 'follower' },
      notReadyBecause: () => 'shutting down',
    });
    const { status, text } = await request(app).get('/readyz');
    expect({ status, text }).toEqual({ status: 503, text: 'shutting down' });
  });
});
