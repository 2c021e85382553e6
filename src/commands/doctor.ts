/**
 * `tessera doctor`: looks for what is wrong with a cluster that Tessera serves, and says what to do about it. With
 * `--server` the ledger of a running server is compared with the cluster, too. It reads and never writes. Exit code 0:
 * nothing is wrong; 1: something is; 2: it could not look.
 */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Command } from 'commander';
import type { TesseraConfig } from '../config/config.ts';
import { type Environment, processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { confirmed, diagnose, type Diagnosis, mayPass } from './doctor/diagnose.ts';
import { diagnosisText } from './doctor/diagnosis-text.ts';
import type { Judges, Look } from './doctor/subject.ts';

interface DoctorFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly serverCa?: string;
  readonly config?: string;
  readonly deviceConfigFile?: string;
  readonly schedulerName?: string[];
  readonly json?: boolean;
}

const faultsFound = 1;
const couldNotLook = 2;
/** Between two looks: longer than a bind takes to show in a watch, shorter than anybody minds. */
const secondLookMs = 3000;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Look for what is wrong with a cluster that Tessera serves; changes nothing')
    .option('--kubeconfig <file>', 'look at the cluster this file names; without it, the one the pod runs in')
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option(
      '--namespace <name>',
      'where the Secrets of the server live (default: of this pod, or tessera-system)',
    )
    .option('--server <url>', 'compare the ledger of the server at this address, too')
    .option(
      '--server-ca <file>',
      'authority of its certificate, PEM (default: what the webhook configurations in --config say)',
    )
    .option('--config <file>', 'the configuration that the server has')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server has")
    .option('--scheduler-name <name...>', 'scheduler names that are ours')
    .option('--json', 'one JSON document instead of text')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotLook))
    .action(runDoctor);
}

async function runDoctor(flags: DoctorFlags): Promise<void> {
  const diagnosis = await examine(flags, processEnvironment());
  if (!diagnosis.ok) {
    console.error(`tessera: ${diagnosis.problem}`);
    process.exitCode = couldNotLook;
    return;
  }
  process.stdout.write(flags.json === true ? jsonOf(diagnosis.value) : diagnosisText(diagnosis.value));
  process.exitCode = diagnosis.value.counts.fault > 0 ? faultsFound : 0;
}

async function examine(flags: DoctorFlags, environment: Environment): Promise<Parsed<Diagnosis>> {
  const { config: file, deviceConfigFile, schedulerName, kubeconfig, context, server } = flags;
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    environment,
    flags: { deviceConfigFile, schedulerNames: schedulerName },
  });
  if (!loaded.ok) return loaded;
  const { config } = loaded.value;
  if (server !== undefined && !isAddress(server))
    return unparsable(`--server: ${server} is no http(s) address`);
  const authority = flags.serverCa === undefined ? parsed(undefined) : readPem(flags.serverCa);
  if (!authority.ok) return authority;
  // The Kubernetes client takes half a second to load; wrong flags are told before.
  const [{ connect }, { takeLook }] = await Promise.all([
    import('./connect.ts'),
    import('./doctor/take-look.ts'),
  ]);
  const client = await connect({
    environment,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  if (!client.ok) return client;
  const namespace = flags.namespace ?? environment['POD_NAMESPACE'] ?? 'tessera-system';
  const look = () =>
    takeLook({
      client: client.value,
      config,
      ...(server === undefined ? {} : { server }),
      ...(authority.value === undefined ? {} : { serverAuthority: authority.value }),
    });
  try {
    return await lookTwice(look, await judgesOf(client.value, { config, namespace }));
  } finally {
    client.value.close();
  }
}

async function lookTwice(
  look: () => Promise<Parsed<Look>>,
  { judges, missing }: WithGaps,
): Promise<Parsed<Diagnosis>> {
  const lookOnce = async () => {
    const looked = await look();
    if (!looked.ok) return looked;
    const value = { ...looked.value, missing: new Map([...looked.value.missing, ...missing]) };
    return parsed({ look: value, diagnosis: diagnose(value, judges) });
  };
  const first = await lookOnce();
  if (!first.ok) return first;
  if (!mayPass(first.value.diagnosis)) return parsed(first.value.diagnosis);
  await setTimeout(secondLookMs);
  const second = await lookOnce();
  if (!second.ok) return second;
  return parsed(confirmed(first.value.diagnosis, second.value.diagnosis, second.value.look));
}

interface WithGaps {
  readonly judges: Judges;
  readonly missing: ReadonlyMap<string, string>;
}

/** The key of the seal is read and never made; without it allocations are taken as they are written. */
async function judgesOf(
  client: RestClient,
  { config, namespace }: { readonly config: TesseraConfig; readonly namespace: string },
): Promise<WithGaps> {
  const [{ findSealKey }, { Sealer }, { leaseOf }] = await Promise.all([
    import('../kubernetes/seal-key.ts'),
    import('../kubernetes/seal.ts'),
    import('./own-role.ts'),
  ]);
  const vendors = makeVendors(config);
  const key = config.seal === 'secret' ? await findSealKey(client, namespace) : undefined;
  const cause =
    key === undefined
      ? 'the key ends with the server’s process (seal: process), so nobody else can check seals'
      : key.kind === 'absent'
        ? `namespace ${namespace} has no key of a seal; is it the server’s own (--namespace)?`
        : key.kind === 'found'
          ? undefined
          : key.problem;
  return {
    judges: {
      config,
      vendors,
      sealer: key?.kind === 'found' ? new Sealer(key.key, vendors) : undefined,
      lease: config.leaderElection.enabled ? leaseOf(config, namespace) : undefined,
    },
    missing: new Map(cause === undefined ? [] : [['seals', cause]]),
  };
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function readPem(file: string): Parsed<string> {
  try {
    return parsed(readFileSync(file, 'utf8'));
  } catch (error) {
    return unparsable(`--server-ca: ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The shape of this document stays; a change that breaks readers raises `version`. */
function jsonOf({ looked, counts, findings }: Diagnosis): string {
  return `${JSON.stringify({ version: 1, looked, counts, findings }, null, 2)}\n`;
}
