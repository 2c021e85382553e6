/**
 * What Tessera relies on in a Kubernetes API server, said in plain HTTP: the same tests run against the emulator in
 * `npm test` and against a real server in `npm run e2e`. Where the two would differ, the real one is right.
 */
import { afterAll, beforeAll, describe } from '@jest/globals';
import { ApiClient, type Connection } from './api-client.ts';
import { accepted, type ContractContext, nameOf } from './contract-context.ts';
import { describeLists } from './lists.ts';
import { describeObjects } from './objects.ts';
import { describePatches } from './patches.ts';
import { describePods } from './pods.ts';
import { describeRefusals } from './refusals.ts';
import { describeTables } from './tables.ts';
import { describeWatches } from './watches.ts';

export type { Connection } from './api-client.ts';

/** Generous for a real server on a busy machine; the emulator needs a hundredth of it. */
const setupTimeoutMs = 60_000;

/** Defines the suite under this name; `connect` is called once, and what it gives is closed at the end. */
export function contractSuite(name: string, connect: () => Promise<Connection>): void {
  describe(name, () => {
    let context: ContractContext | undefined;

    beforeAll(async () => {
      const client = new ApiClient(await connect());
      const body = { metadata: { generateName: 'contract-' } };
      const namespace = accepted(await client.send('POST', '/api/v1/namespaces', { body }));
      context = { client, namespace: nameOf(namespace) };
    }, setupTimeoutMs);

    afterAll(async () => {
      await context?.client.close();
    }, setupTimeoutMs);

    const connected = () => {
      if (context === undefined) throw new Error('the server was not reached');
      return context;
    };
    describeObjects(connected);
    describeRefusals(connected);
    describePatches(connected);
    describeLists(connected);
    describeWatches(connected);
    describePods(connected);
    describeTables(connected);
  });
}
