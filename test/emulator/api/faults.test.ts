import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../support/manual-clock.ts';
import { podNamed, podsPath, startFixture } from './emulator-fixture.ts';

const nothing = 'nothing yet';

describe('faults', () => {
  it.each([
    { code: 409, wantReason: 'Conflict' },
    { code: 410, wantReason: 'Expired' },
    { code: 500, wantReason: 'InternalError' },
  ] as const)(
    'answer $code to the next request that matches, and do nothing',
    async ({ code, wantReason }) => {
      const { client, emulator } = await startFixture();
      const fault = emulator.faults.add({ kind: 'answer', code, method: 'POST', path: /\/pods$/ });
      const refused = await client.send('POST', podsPath, { body: podNamed('a') });
      expect(refused).toMatchObject({ status: code, body: { kind: 'Status', reason: wantReason, code } });
      expect(await client.send('GET', `${podsPath}/a`)).toMatchObject({ status: 404 });
      expect(fault.hits).toBe(1);
      expect(await client.send('POST', podsPath, { body: podNamed('a') })).toMatchObject({ status: 201 });
    },
  );

  it('answer 429 with the time to wait', async () => {
    const { client, emulator } = await startFixture();
    emulator.faults.add({ kind: 'answer', code: 429, retryAfterSeconds: 7, path: () => true });
    const answer = await client.send('GET', podsPath);
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7' },
      body: { reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } },
    });
  });

  it('drop the connection before anything is done', async () => {
    const { client, emulator } = await startFixture();
    emulator.faults.add({ kind: 'drop', method: 'POST', path: /pods/ });
    await expect(client.send('POST', podsPath, { body: podNamed('a') })).rejects.toThrow('socket hang up');
    expect(await client.send('GET', `${podsPath}/a`)).toMatchObject({ status: 404 });
  });

  it('do what is asked and never answer', async () => {
    const { client, emulator } = await startFixture();
    emulator.faults.add({ kind: 'silentAfterCommit', method: 'POST', path: /pods/ });
    let answered: unknown = nothing;
    const silent = client.send('POST', podsPath, { body: podNamed('a') }).then(
      (answer) => {
        answered = answer;
      },
      () => undefined,
    );
    let found = await client.send('GET', `${podsPath}/a`);
    while (found.status === 404) found = await client.send('GET', `${podsPath}/a`);
    expect(found.status).toBe(200);
    expect(answered).toBe(nothing);
    await emulator.close();
    await silent;
    expect(answered).toBe(nothing);
  });

  it('delay a request by the clock, then serve it', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await startFixture({ clock });
    emulator.faults.add({ kind: 'delay', delayMs: 5_000, method: 'POST', path: /pods/ });
    const late = client.send('POST', podsPath, { body: podNamed('a') });
    while (clock.pending === 0) await client.send('GET', '/readyz');
    clock.advance(4_999);
    expect(await client.send('GET', `${podsPath}/a`)).toMatchObject({ status: 404 });
    clock.advance(1);
    expect(await late).toMatchObject({ status: 201 });
  });

  it('delay first and then do what another fault says', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await startFixture({ clock });
    emulator.faults.add({ kind: 'delay', delayMs: 1_000, path: /pods/ });
    emulator.faults.add({ kind: 'answer', code: 500, path: /pods/ });
    const late = client.send('GET', podsPath);
    while (clock.pending === 0) await client.send('GET', '/readyz');
    clock.advance(1_000);
    expect(await late).toMatchObject({ status: 500 });
  });

  it('open a watch on which nothing arrives', async () => {
    const { client, emulator } = await startFixture();
    await client.send('POST', podsPath, { body: podNamed('a') });
    emulator.faults.add({ kind: 'halfOpenWatch', path: /watch=true/ });
    const silent = await client.watch(`${podsPath}?watch=true`);
    expect(silent.status).toBe(200);
    const control = await client.watch(`${podsPath}?watch=true`);
    expect(await control.next()).toMatchObject({ type: 'ADDED' });
    const next = silent.next();
    expect(await Promise.race([next, Promise.resolve(nothing)])).toBe(nothing);
    // Whatever had been sent would arrive before the end of the connection.
    await emulator.close();
    expect(await next).toBeUndefined();
  });

  it('apply as often as asked, and to their routes and methods only', async () => {
    const { client, emulator } = await startFixture();
    const fault = emulator.faults.add({
      kind: 'answer',
      code: 500,
      method: 'GET',
      path: /\/pods\b/,
      times: 2,
    });
    const statuses: number[] = [];
    for (const [method, path] of [
      ['GET', podsPath],
      ['DELETE', podsPath],
      ['GET', '/api/v1/nodes'],
      ['GET', `${podsPath}?limit=1`],
      ['GET', podsPath],
    ] as const) {
      statuses.push((await client.send(method, path)).status);
    }
    expect(statuses).toEqual([500, 200, 200, 500, 200]);
    expect(fault.hits).toBe(2);
  });

  it('can be taken back, one or all', async () => {
    const { client, emulator } = await startFixture();
    const always = { kind: 'answer', code: 500, path: () => true, times: Infinity } as const;
    emulator.faults.add(always).remove();
    expect(await client.send('GET', podsPath)).toMatchObject({ status: 200 });
    emulator.faults.add(always);
    expect(await client.send('GET', podsPath)).toMatchObject({ status: 500 });
    emulator.faults.clear();
    expect(await client.send('GET', podsPath)).toMatchObject({ status: 200 });
  });
});
