/**
 * `tessera fragmentation`: how much of a cluster's idle cards its pods could use, of a cluster or of one in files. It
 * looks and never writes. Exit code 0: told; 2: it could not look.
 */
import { Command } from 'commander';
import { fragmentationOf } from './fragmentation/fragmentation-report.ts';
import { fragmentationJson, fragmentationText } from './fragmentation/fragmentation-text.ts';
import { lookAtCluster, type LookFlags } from './looked-at-cluster.ts';

interface FragmentationFlags extends LookFlags {
  readonly json?: boolean;
}

const couldNotLook = 2;

export function fragmentationCommand(): Command {
  return new Command('fragmentation')
    .description('Say how much of the idle cards the expected pods can use')
    .option('--snapshot <file...>', 'look at a cluster in files, JSON or YAML')
    .option('--kubeconfig <file>', 'look at the cluster this file names; without it, the one the pod runs in')
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option('--config <file>', 'the configuration that the server has')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server has")
    .option('--json', 'one JSON document instead of text')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotLook))
    .action(runFragmentation);
}

async function runFragmentation(flags: FragmentationFlags): Promise<void> {
  const looked = await lookAtCluster(flags);
  if (!looked.ok) {
    console.error(`tessera: ${looked.problem}`);
    process.exitCode = couldNotLook;
    return;
  }
  const report = fragmentationOf(looked.value);
  process.stdout.write(flags.json === true ? fragmentationJson(report) : fragmentationText(report));
}
