/** An emulator on a port of its own with a seeded source of chance, and a client for it. */
import { afterEach } from '@jest/globals';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator/api/server.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { ApiClient } from '../../contract/api-client.ts';

export interface EmulatorFixture {
  readonly emulator: Emulator;
  readonly client: ApiClient;
}

const started: EmulatorFixture[] = [];

afterEach(async () => {
  for (const { client } of started.splice(0)) await client.close();
});

/** Repeats the same numbers in every run. */
export function seededRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Closed after the test. */
export async function startFixture(options: Partial<EmulatorOptions> = {}): Promise<EmulatorFixture> {
  const emulator = await startEmulator({ clock: systemClock, random: seededRandom(), ...options });
  const client = new ApiClient({
    baseUrl: emulator.url,
    ...(options.tls === undefined ? {} : { authority: options.tls.certificate }),
    forgetHistory: () => {
      emulator.store.forgetHistory();
      return Promise.resolve();
    },
    close: () => emulator.close(),
  });
  const fixture = { emulator, client };
  started.push(fixture);
  return fixture;
}

export const podsPath = '/api/v1/namespaces/default/pods';

export function podNamed(name: string, more: object = {}): object {
  return {
    metadata: { name, ...more },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  };
}
