/** A caller that hangs up while its bind waits in the queue of a node: the bind ends, and what it held is free. */
import { type ClientRequest, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { listen, type Listener } from '../../src/http/listener.ts';
import type { BindAnswer } from '../../src/scheduler/bind.ts';
import type { BindOutcome, ClusterWriter } from '../../src/scheduler/cluster-writer.ts';
import { bindingOf, largePod, sampleNodes, samplePods, smallPod } from './sample-cluster.ts';
import { makeServedApp } from './served-app.ts';

// Sockets take their time on a busy machine.
jest.setTimeout(20_000);

const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close(0)));
});

interface BindCall {
  readonly uid: string;
  readonly signal: AbortSignal;
  readonly answer: Promise<BindAnswer>;
}

/** A server whose writes end when the test says so, and the binds that have reached its scheduler. */
async function startServer() {
  const writes: ((outcome: BindOutcome) => void)[] = [];
  const writer: ClusterWriter = {
    bind: () =>
      new Promise((resolve) => {
        writes.push(resolve);
      }),
  };
  const calls: BindCall[] = [];
  const waiting: (() => void)[] = [];
  const { app, state, lines } = makeServedApp({
    nodes: sampleNodes,
    pods: samplePods,
    writer,
    wrapScheduler: (scheduler) => ({
      ...scheduler,
      bind: (args, signal) => {
        const answer = scheduler.bind(args, signal);
        calls.push({ uid: args.uid, signal, answer });
        waiting.shift()?.();
        return answer;
      },
    }),
  });
  const listener = await listen({ app, host: '127.0.0.1', port: 0, keepAliveSeconds: 100 });
  open.push(listener);
  const nextCall = async (): Promise<BindCall> => {
    if (calls.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return calls.shift() ?? nextCall();
  };
  return { url: listener.url, state, lines, writes, nextCall };
}

function postBind(url: string, body: object): { request: ClientRequest; text: Promise<string> } {
  const request = httpRequest(`${url}/bind`, { method: 'POST', agent: false });
  const answer = new Promise<string>((resolve, reject) => {
    request.on('response', (response) => {
      resolve(text(response));
    });
    request.on('error', reject);
  });
  request.end(JSON.stringify(body));
  return { request, text: answer };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

describe('a caller that hangs up', () => {
  it('during a waiting bind ends it, and its cards are free again', async () => {
    const { url, state, nextCall, writes } = await startServer();
    const first = postBind(url, bindingOf(smallPod, 'a100'));
    const firstCall = await nextCall();
    const second = postBind(url, bindingOf(largePod, 'a100'));
    const secondCall = await nextCall();
    expect(state.entry('uid-large')).toMatchObject({ state: 'assumed', node: 'a100' });

    const hungUp = expect(second.text).rejects.toMatchObject({ code: 'ECONNRESET' });
    second.request.destroy();
    await hungUp;
    expect(await secondCall.answer).toMatchObject({ ok: false, code: 'CallerGone' });
    expect(state.entry('uid-large')).toBeUndefined();
    expect(writes).toHaveLength(1);

    writes[0]?.({ kind: 'bound' });
    expect(JSON.parse(await first.text)).toEqual({ Error: '' });
    expect(await firstCall.answer).toMatchObject({ ok: true });
    expect(state.entry('uid-small')).toMatchObject({ state: 'bound', node: 'a100' });
  });

  it('during the write does not undo it, for the cluster will have it', async () => {
    const { url, state, nextCall, writes } = await startServer();
    const bind = postBind(url, bindingOf(largePod, 'a100'));
    const call = await nextCall();
    const hungUp = expect(bind.text).rejects.toMatchObject({ code: 'ECONNRESET' });
    bind.request.destroy();
    await hungUp;
    await aborted(call.signal);
    expect(state.entry('uid-large')).toMatchObject({ state: 'assumed' });
    writes[0]?.({ kind: 'bound' });
    expect(await call.answer).toMatchObject({ ok: true });
    expect(state.entry('uid-large')).toMatchObject({ state: 'bound' });
  });

  it('after its answer aborts nothing', async () => {
    const { url, nextCall, writes } = await startServer();
    const bind = postBind(url, bindingOf(largePod, 'a100'));
    const call = await nextCall();
    writes[0]?.({ kind: 'bound' });
    await bind.text;
    bind.request.destroy();
    expect(call.signal.aborted).toBe(false);
  });
});
