/** The ledger of a running server, as its `/debug/state` tells it. What it says is checked like anything from outside. */
import type { Allocation } from '../../model/allocation.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { RestClient } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import type { LedgerState } from '../../state/ledger-entry.ts';
import { schemaParser } from '../../wire/validate.ts';

export interface ServerEntry {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly state: LedgerState;
  readonly allocation: Allocation;
  /** Whether it is charged as written. */
  readonly believed: boolean;
}

export interface ServerLedger {
  readonly synced: boolean;
  readonly entries: readonly ServerEntry[];
}

const text = { type: 'string' };
const integer = { type: 'integer' };
const needing = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
const placement = needing({ start: integer, size: integer });
const share = {
  ...needing({ vendor: text, deviceId: text, memoryMiB: integer, corePercent: integer }),
};
const readLedger = schemaParser<ServerLedger>(
  needing({
    synced: { type: 'boolean' },
    entries: {
      type: 'array',
      items: needing({
        podUid: text,
        namespace: text,
        name: text,
        node: text,
        state: { enum: ['assumed', 'bound', 'draining'] },
        allocation: {
          type: 'array',
          items: {
            type: 'array',
            items: {
              ...share,
              properties: { ...share.properties, mig: needing({ profile: text, placement }) },
            },
          },
        },
        believed: { type: 'boolean' },
      }),
    },
  }),
);

const callTimeoutMs = 30_000;

/** Refuses when the server does not answer, or not with a state of this version. Never throws. */
export async function readServerLedger(client: Pick<RestClient, 'request'>): Promise<Parsed<ServerLedger>> {
  const result = await client.request({ method: 'GET', path: '/debug/state', timeoutMs: callTimeoutMs });
  if (result.kind !== 'ok') return unparsable(failureText(result));
  const ledger = readLedger(result.body);
  if (!ledger.ok)
    return unparsable(`/debug/state is not that of a server of this version: ${ledger.problem}`);
  const { synced, entries } = ledger.value;
  return parsed({ synced, entries });
}
