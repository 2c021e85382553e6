/**
 * `tessera serve`: the server of the cluster it runs in, of the one a kubeconfig file names, or of one in a snapshot
 * file. A cluster is never taken from a user's own kubeconfig by accident: without a flag it must be the pod's own.
 */
import { Command } from 'commander';
import type { TesseraConfig } from '../config/config.ts';
import { type Environment, processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import type { Endpoints } from '../http/endpoints.ts';
import { type Parsed, unparsable } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import { runServer } from './run-server.ts';
import { readSnapshotFile } from './snapshot-file.ts';
import { serveSnapshot } from './snapshot-server.ts';
import { startOnCluster } from './start-on-cluster.ts';

interface ServeFlags {
  readonly snapshot?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly config?: string;
  readonly listen?: string;
  readonly listenExtender?: string;
  readonly listenMetrics?: string;
  readonly insecureHttp?: boolean;
  readonly deviceConfigFile?: string;
  readonly schedulerName?: string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the scheduler extender and the admission webhook')
    .option('--snapshot <file>', 'serve a cluster from a file of nodes and pods; binds stay in memory')
    .option(
      '--kubeconfig <file>',
      'serve the cluster this file names; without it, the cluster the pod runs in',
    )
    .option('--context <name>', 'the context of --kubeconfig to use instead of its current one')
    .option(
      '--namespace <name>',
      'where the Secrets of the server live (default: of its own pod, or tessera-system)',
    )
    .option('--config <file>', 'configuration file, YAML or JSON (docs/configuration.md)')
    .option('--listen <address>', 'host:port of the HTTPS server; with --snapshot, of everything')
    .option('--listen-extender <address>', 'host:port of plain HTTP for a kube-scheduler in the same pod')
    .option('--listen-metrics <address>', 'host:port of the metrics')
    .option('--insecure-http', 'with --snapshot: plain HTTP instead of HTTPS, on loopback only')
    .option('--device-config-file <file>', "HAMi's device-config.yaml")
    .option('--scheduler-name <name...>', 'scheduler names that are ours; pods without one get the first')
    .option('--tls-cert <file>', 'certificate to serve, PEM; followed when it changes')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--log-level <level>', 'fatal, error, warn, info, debug or trace')
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const environment = processEnvironment();
  const loaded = loadConfig({
    ...(flags.config === undefined ? {} : { file: flags.config }),
    environment,
    flags: configFlags(flags),
  });
  await runServer(loaded, (config, log) => start(flags, { config, log, environment }));
}

function configFlags(flags: ServeFlags): Readonly<Record<string, unknown>> {
  const { listen, listenExtender, listenMetrics, deviceConfigFile, schedulerName, logLevel } = flags;
  const tls = flags.tlsCert ?? flags.tlsKey;
  return {
    listen,
    listenExtender,
    listenMetrics,
    deviceConfigFile,
    schedulerNames: schedulerName,
    logLevel,
    // Over a snapshot one address answers everything.
    ...(flags.snapshot === undefined ? {} : { listenExtender: '', listenMetrics: '' }),
    ...(tls === undefined ? {} : { tls: { certFile: flags.tlsCert, keyFile: flags.tlsKey } }),
  };
}

interface StartParts {
  readonly config: TesseraConfig;
  readonly log: Log;
  readonly environment: Environment;
}

async function start(flags: ServeFlags, parts: StartParts): Promise<Parsed<Endpoints>> {
  if (flags.snapshot === undefined) {
    if (flags.insecureHttp === true) return unparsable('--insecure-http needs --snapshot');
    return startOnOwnCluster(flags, parts);
  }
  if (flags.kubeconfig !== undefined)
    return unparsable('--snapshot and --kubeconfig name two clusters; give one');
  const snapshot = readSnapshotFile(flags.snapshot);
  if (!snapshot.ok) return snapshot;
  const { config, log } = parts;
  const insecureHttp = flags.insecureHttp === true;
  const endpoints = await serveSnapshot({ config, snapshot: snapshot.value, insecureHttp, log });
  if (endpoints.ok) log.info({ urls: endpoints.value.urls }, 'ready');
  return endpoints;
}

async function startOnOwnCluster(flags: ServeFlags, parts: StartParts): Promise<Parsed<Endpoints>> {
  const { config, log, environment } = parts;
  const { kubeconfig, context, namespace } = flags;
  return startOnCluster({
    config,
    log,
    cluster: {
      environment,
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(context === undefined ? {} : { context }),
    },
    ...(namespace === undefined ? {} : { namespace }),
    defaultNamespace: 'tessera-system',
  });
}
