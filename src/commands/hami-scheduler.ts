/**
 * `tessera hami-scheduler`: the server in place of HAMi's `scheduler`, called by HAMi's own chart with its flags,
 * environment and roles (docs/hami-scheduler.md). What the flags mean is in `config/hami-flags.ts`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Environment, processEnvironment } from '../config/environment.ts';
import { readHamiFlags } from '../config/hami-flags.ts';
import { loadConfig } from '../config/load.ts';
import { parsed } from '../model/result.ts';
import { fail } from './fail.ts';
import { runServer } from './run-server.ts';
import { startOnCluster } from './start-on-cluster.ts';
import { version } from './version.ts';

export function hamiSchedulerCommand(): Command {
  return new Command('hami-scheduler')
    .description("Serve in place of HAMi's scheduler, with its flags (docs/hami-scheduler.md)")
    .argument('[words...]', "flags of HAMi's scheduler, or `version`")
    .allowUnknownOption()
    .action(serveAsHami);
}

async function serveAsHami(words: readonly string[]): Promise<void> {
  if (words[0] === 'version') {
    process.stdout.write(`tessera ${version}\n`);
    return;
  }
  const environment = processEnvironment();
  const line = readHamiFlags(words, environment);
  if (!line.ok) {
    fail(`hami-scheduler: ${line.problem}`);
    return;
  }
  const { flags, assumed, plainHttp, warnings } = line.value;
  const loaded = loadConfig({ environment, flags, assumed });
  const told = loaded.ok
    ? parsed({ ...loaded.value, warnings: [...warnings, ...loaded.value.warnings] })
    : loaded;
  await runServer(told, (config, log) => {
    const kubeconfig = findKubeconfig(environment, existsSync);
    log.info({ cluster: kubeconfig ?? 'the one this pod runs in' }, 'connecting');
    const cluster = { environment, ...(kubeconfig === undefined ? {} : { kubeconfig }) };
    return startOnCluster({ config, log, cluster, defaultNamespace: 'kube-system', plainHttp });
  });
}

/** $KUBECONFIG, else the file in the home directory if there is one, else none, which means the pod's own cluster. */
export function findKubeconfig(
  environment: Environment,
  exists: (path: string) => boolean,
): string | undefined {
  const named = environment['KUBECONFIG'] ?? '';
  if (named !== '') return named;
  const home = environment['HOME'] ?? '';
  const usual = join(home, '.kube', 'config');
  return home !== '' && exists(usual) ? usual : undefined;
}
