/**
 * `tessera snapshot`: a cluster's nodes, pods and quotas in one file, for `--snapshot` of other commands and for bug
 * reports. It lists and never writes to the cluster. Of each object goes in what the API gave, without what people keep
 * to themselves (`snapshot-objects.ts`). Exit code 0: written; 1: not.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { fail } from './fail.ts';
import type { ClusterSnapshot } from './snapshot-objects.ts';
import { type ClusterFlags, withCluster } from './with-cluster.ts';

interface SnapshotFlags extends ClusterFlags {
  readonly output?: string;
}

export function snapshotCommand(): Command {
  return new Command('snapshot')
    .description('Write nodes, pods and quotas of a cluster to a file that --snapshot reads')
    .option('--kubeconfig <file>', 'look at the cluster this file names; without it, the one the pod runs in')
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option('--output <file>', 'write there instead of to standard output')
    .action(runSnapshot);
}

async function runSnapshot({ output, ...flags }: SnapshotFlags): Promise<void> {
  const taken = await takeSnapshot(flags);
  if (!taken.ok) {
    fail(taken.problem);
    return;
  }
  const { objects, warnings } = taken.value;
  for (const warning of warnings) console.error(`tessera: ${warning}`);
  const written = await write(linesOf(objects), output);
  if (!written.ok) fail(written.problem);
}

function takeSnapshot(flags: ClusterFlags): Promise<Parsed<ClusterSnapshot>> {
  return withCluster(flags, async (client) => {
    const { collectSnapshotObjects } = await import('./snapshot-objects.ts');
    return collectSnapshotObjects(client);
  });
}

/** One object a line: a large cluster stays readable, and is never one string. */
function* linesOf(objects: readonly object[]): Generator<string, void> {
  yield '{"apiVersion":"v1","kind":"List","items":[\n';
  for (const [index, object] of objects.entries()) {
    yield `${JSON.stringify(object)}${index === objects.length - 1 ? '' : ','}\n`;
  }
  yield ']}\n';
}

async function write(lines: Iterable<string>, output: string | undefined): Promise<Parsed<undefined>> {
  const isFile = output !== undefined;
  try {
    await pipeline(Readable.from(lines), isFile ? createWriteStream(output) : process.stdout, {
      end: isFile,
    });
    return parsed(undefined);
  } catch (error) {
    // Whoever read a pipe has seen enough.
    if (!isFile && error instanceof Error && 'code' in error && error.code === 'EPIPE')
      return parsed(undefined);
    const cause = error instanceof Error ? error.message : String(error);
    return unparsable(`${output ?? 'standard output'}: cannot be written: ${cause}`);
  }
}
