/**
 * `tessera migrate check`: what will change when Tessera takes over from HAMi, of a cluster or of one in files. It lists
 * and never writes. Exit code 0: no blockers; 1: blockers; 2: it could not look.
 */
import { Command } from 'commander';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../http/system-clock.ts';
import { readPicture } from '../migration/cluster-picture.ts';
import { checkMigration, type MigrationReport } from '../migration/migration-check.ts';
import { reportText } from '../migration/report-text.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { collect } from './collect.ts';

interface CheckFlags {
  readonly snapshot?: string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly config?: string;
  readonly deviceConfigFile?: string;
  readonly schedulerName?: string[];
  readonly json?: boolean;
}

const blockersFound = 1;
const couldNotLook = 2;

export function migrateCommand(): Command {
  const check = new Command('check')
    .description('Say what will change when Tessera takes over from HAMi; changes nothing')
    .option('--snapshot <file...>', 'look at a cluster in files, JSON or YAML (docs/moving-from-hami.md)')
    .option('--kubeconfig <file>', 'look at the cluster this file names; without it, the one the pod runs in')
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option('--config <file>', 'the configuration that the server will have')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server will have")
    .option('--scheduler-name <name...>', 'scheduler names that will be ours')
    .option('--json', 'one JSON document instead of text')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotLook))
    .action(runCheck);
  return new Command('migrate').description('Move in from HAMi').addCommand(check);
}

async function runCheck(flags: CheckFlags): Promise<void> {
  const report = await check(flags);
  if (!report.ok) {
    console.error(`tessera: ${report.problem}`);
    process.exitCode = couldNotLook;
    return;
  }
  process.stdout.write(flags.json === true ? jsonOf(report.value) : reportText(report.value));
  process.exitCode = report.value.counts.blocker > 0 ? blockersFound : 0;
}

async function check(flags: CheckFlags): Promise<Parsed<MigrationReport>> {
  const { config: file, deviceConfigFile, schedulerName } = flags;
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    environment: processEnvironment(),
    flags: { deviceConfigFile, schedulerNames: schedulerName },
  });
  if (!loaded.ok) return loaded;
  const { config, warnings } = loaded.value;
  const collected = await collect(flags);
  if (!collected.ok) return collected;
  const fromDeviceConfig = `${config.deviceConfigFile}: `;
  return parsed(
    checkMigration({
      picture: readPicture(collected.value),
      config,
      deviceConfigWarnings:
        config.deviceConfigFile === ''
          ? []
          : warnings.filter((warning) => warning.startsWith(fromDeviceConfig)),
      nowMs: systemClock.nowMs(),
    }),
  );
}

/** The shape of this document stays; a change that breaks readers raises `version`. */
function jsonOf({ looked, counts, findings }: MigrationReport): string {
  return `${JSON.stringify({ version: 1, looked, counts, findings }, null, 2)}\n`;
}
