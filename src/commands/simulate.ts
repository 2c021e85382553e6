/**
 * `tessera simulate`: what policies would make of a cluster and a workload that are in files, before one is switched on.
 * It asks no cluster and writes only the files it is told to. Exit code 0: there are figures; 1: there are none.
 */
import { Command, Option } from 'commander';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { policyNames } from '../simulator/policy.ts';
import { fail } from './fail.ts';
import {
  contradictionIn,
  parseLoad,
  parseSample,
  parseSeeds,
  parseWorkers,
  policiesWith,
  type SimulateFlags,
} from './simulate/simulate-flags.ts';

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Try placement policies on a cluster and a workload in files; changes nothing')
    .option('--nodes <file>', 'the cluster: nodes of a trace, CSV (docs/simulation.md)')
    .option('--snapshot <file>', 'the cluster: a snapshot, JSON or YAML, with the pods that run on it')
    .option(
      '--pods <file>',
      'the workload: pods or what makes pods, JSON or YAML; a trace, CSV (default: pending pods of --snapshot)',
    )
    .option('--order <file>', 'the order in which pods come, by seed, JSON lines')
    .option(
      '--policy <name>',
      `a policy to try, given again for each: ${policyNames.join(', ')}, or all (default: those of a server; for --how-many and --add-node the configured one)`,
      policiesWith,
    )
    .addOption(
      new Option('--seeds <list>', 'of arrival orders and of chance, as 42,43 or 42-51')
        .argParser(parseSeeds)
        .default([42], '42'),
    )
    .option(
      '--load <share>',
      'pods come, again and again, until they ask for so much of the cards: 1.3 is 130 % (default: each once)',
      parseLoad,
    )
    .option('--timed', 'pods come and leave by the times of their trace')
    .option('--churn', 'pods come and leave by chance, asking for --load at any time (default: 1, all cards)')
    .option('--learn', 'the policy fragmentation knows nothing beforehand and learns from the pods that come')
    .option(
      '--skew-memory',
      'pods ask for half, once or twice their memory, by chance, and for the same compute',
    )
    .option('--random-ties', 'of equally good nodes one is drawn, as a stock kube-scheduler does')
    .option('--sample <part>', 'for each pod only this part of the feasible nodes is compared', parseSample)
    .option('--how-many', 'tell how many copies of the pods fit, one after the other')
    .option('--add-node <file>', 'tell how many more nodes like the one in this file the pods need')
    .option('--config <file>', 'the configuration that the server has or will have')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server has or will have")
    .option('--workers <count>', 'threads that share the runs (default: one per core)', parseWorkers)
    .option('--json', 'one JSON document instead of tables')
    .option('--csv <file>', 'write the curves of all runs to this file')
    .option('--svg <directory>', 'write every chart to a file in this directory')
    .option('--report <file>', 'write a page with charts and tables to this file, HTML')
    .action(simulate);
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const { config: file, deviceConfigFile, howMany, addNode } = flags;
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    environment: processEnvironment(),
    flags: { deviceConfigFile },
  });
  if (!loaded.ok) {
    fail(`simulate: ${loaded.problem}`);
    return;
  }
  const { config, warnings } = loaded.value;
  for (const warning of warnings) console.error(`tessera: ${warning}`);
  const { nodes, snapshot, pods, order, load, timed, churn, learn, skewMemory, randomTies, sample } = flags;
  const conditions = { churn, learn, skewMemory, randomTies, sample };
  const times = timed === true || undefined;
  const options = { config, nodes, snapshot, pods, order, load, times, ...conditions };
  const contradiction = contradictionIn(flags);
  if (contradiction !== undefined) {
    fail(`simulate: ${contradiction}`);
    return;
  }
  const asked =
    howMany === true
      ? ({ kind: 'how-many' } as const)
      : addNode === undefined
        ? undefined
        : ({ kind: 'add-node', file: addNode } as const);
  const { runComparison, runWhatIf } = await import('./simulate/run-simulate.ts');
  const result =
    asked === undefined
      ? await runComparison(options, flags)
      : runWhatIf({
          asked,
          options,
          policies: flags.policy ?? [config.nodePolicy],
          seed: flags.seeds[0] ?? 0,
          isJson: flags.json === true,
        });
  if (!result.ok) fail(`simulate: ${result.problem}`);
}
