/**
 * `tessera defragment`: which pods would have to move so that another one fits, on a cluster or on one in files. It looks
 * and plans; nothing is evicted. Exit code 0: there is a list, or nothing has to move; 1: there is none; 2: it could not
 * look.
 */
import { Command, InvalidArgumentError } from 'commander';
import { type DefragmentWish, findPlan } from './defragment/find-plan.ts';
import { planJson, planText } from './defragment/plan-text.ts';

interface DefragmentFlags extends DefragmentWish {
  readonly json?: boolean;
}

const noPlan = 1;
const couldNotLook = 2;
const largestAmount = 2 ** 31 - 1;

export function defragmentCommand(): Command {
  return new Command('defragment')
    .description('Say which pods would have to move so that another one fits; evicts nothing')
    .option('--snapshot <file...>', 'look at a cluster in files, JSON or YAML')
    .option('--kubeconfig <file>', 'look at the cluster this file names; without it, the one the pod runs in')
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option('--config <file>', 'the configuration that the server has')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server has")
    .option('--pod <file>', 'for the first pod of this file; a Deployment or Job will do')
    .option('--cards <number>', 'for a pod that asks for so many cards, instead of --pod', upTo(1024))
    .option('--memory <MiB>', 'with --cards: of each card (default: all of it)', upTo(largestAmount))
    .option('--cores <percent>', 'with --cards: compute of each card (default: none is promised)', upTo(100))
    .option('--type <word>', 'with --cards: a part of the card type')
    .option('--vendor <word>', 'with --cards: whose cards (default: of the first that is configured)')
    .option('--namespace <name>', 'with --cards: of the pod, for its quota (default: default)')
    .option('--most-moves <number>', 'the longest list to look for', upTo(6), 3)
    .option('--json', 'one JSON document instead of text')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotLook))
    .action(runDefragment);
}

async function runDefragment(flags: DefragmentFlags): Promise<void> {
  const report = await findPlan(flags);
  if (!report.ok) {
    console.error(`tessera: ${report.problem}`);
    process.exitCode = couldNotLook;
    return;
  }
  process.stdout.write(flags.json === true ? planJson(report.value) : planText(report.value));
  const { kind } = report.value.plan;
  process.exitCode = kind === 'fits' || kind === 'moves' ? 0 : noPlan;
}

/** A whole number from 1 to a bound, of a flag. */
function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from 1 to ${most}.`);
  };
}
