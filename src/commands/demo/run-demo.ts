/**
 * The whole demo: embedded cluster, server, scheduler loop, and people who create pods, shown on the terminal until it
 * is interrupted. Everything that was started is ended in reverse, whatever happens, and the folder goes last.
 */
import { createWriteStream } from 'node:fs';
import type { TesseraConfig } from '../../config/config.ts';
import { parseListenAddress } from '../../config/listen-address.ts';
import { processEnvironment } from '../../config/environment.ts';
import { kubeconfigFor } from '../../emulator/api/kubeconfig.ts';
import { demoNodes } from '../../emulator/demo-cluster.ts';
import { examplePods } from '../../emulator/demo-cluster-pods.ts';
import { seededRandom } from '../../emulator/demo-cluster-random.ts';
import { devicesOf, type NodeDescription } from '../../emulator/node-agent/node-description.ts';
import { nvidiaFamily } from '../../emulator/node-agent/plugin-family.ts';
import { SchedulerLoop } from '../../emulator/scheduler-loop/scheduler-loop.ts';
import { systemClock as clock } from '../../http/system-clock.ts';
import type { RestClient } from '../../kubernetes/rest-client.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { type Log, type LogLevel, makeLogger } from '../../telemetry/logger.ts';
import { clientOf, ControlPlane } from './control-plane.ts';
import { embeddedServerConfig, type ServerAddresses, startEmbeddedServer } from './embedded-server.ts';
import { LiveView } from './live-view.ts';
import { PlainView } from './plain-view.ts';
import { PodBoard } from './pod-board.ts';
import { PodStream } from './pod-stream.ts';
import { schedulerSettings } from './scheduler-settings.ts';
import { Screen } from './screen.ts';
import { ServerQuestions } from './server-questions.ts';
import type { View } from './view.ts';
import { Workspace } from './workspace.ts';

export interface DemoOptions extends ServerAddresses {
  readonly listenApi: string;
  readonly nodes: number;
  readonly podsPerSecond: number;
  readonly seed: number;
  /** Of what is written to the log file. */
  readonly logLevel: LogLevel;
  /** Where files go instead of a temporary folder. */
  readonly directory?: string;
  /** Resolves when it is to end. */
  readonly ended: Promise<unknown>;
}

interface Running {
  readonly plane: ControlPlane;
  /** Of the server and the loop. */
  readonly client: RestClient;
  readonly config: TesseraConfig;
  readonly urls: { readonly main: string; readonly extender: string; readonly metrics: string };
  readonly log: Log;
  readonly random: () => number;
}

type AtEnd = (cleanup: () => unknown) => void;

const namespace = 'default';

/** Runs until `ended`; refuses when an address cannot be had. */
export async function runDemo(options: DemoOptions): Promise<Parsed<true>> {
  const workspace = await Workspace.make(options.directory);
  const cleanups: (() => unknown)[] = [];
  const atEnd: AtEnd = (cleanup) => {
    cleanups.unshift(cleanup);
  };
  try {
    const nodes = demoNodes(options.nodes);
    const logFile = workspace.file('tessera.log');
    const running = await start(options, { nodes, logFile, atEnd });
    if (!running.ok) return running;
    const { plane, urls } = running.value;
    const kubeconfig = await workspace.write('kubeconfig', kubeconfigFor(plane.emulator.url));
    console.log(
      `ready: api=${plane.emulator.url} server=${urls.main} extender=${urls.extender} metrics=${urls.metrics} kubeconfig=${kubeconfig}`,
    );
    await show(running.value, { options, nodes, atEnd, help: helpLines({ kubeconfig, logFile, urls }) });
    await options.ended;
    return parsed(true);
  } finally {
    for (const cleanup of cleanups) await cleanup();
    await workspace.remove();
  }
}

function helpLines(places: {
  readonly kubeconfig: string;
  readonly logFile: string;
  readonly urls: Running['urls'];
}): readonly string[] {
  const { kubeconfig, logFile, urls } = places;
  return [
    `kubectl --kubeconfig ${kubeconfig} get pods`,
    `curl -k ${urls.main}/explain/${namespace}/NAME`,
    `kubectl --kubeconfig ${kubeconfig} apply -f examples/pods`,
    `curl ${urls.metrics}/metrics`,
    `tail -f ${logFile}`,
  ];
}

/** Brings up the cluster, the server and the scheduler, in this order. */
async function start(
  options: DemoOptions,
  parts: { readonly nodes: readonly NodeDescription[]; readonly logFile: string; readonly atEnd: AtEnd },
): Promise<Parsed<Running>> {
  const { nodes, logFile, atEnd } = parts;
  const loaded = embeddedServerConfig(options);
  if (!loaded.ok) return loaded;
  const config = loaded.value;
  const address = parseListenAddress(options.listenApi);
  if (!address.ok) return address;
  const destination = createWriteStream(logFile);
  atEnd(() => new Promise((resolve) => destination.end(resolve)));
  const log = makeLogger({ level: options.logLevel, destination });
  const random = seededRandom(options.seed);

  const plane = await ControlPlane.start({ nodes, ...address.value, random, log });
  if (!plane.ok) return plane;
  atEnd(() => plane.value.close());
  const client = clientOf(plane.value.emulator.url);
  atEnd(() => {
    client.close();
  });
  const server = await startEmbeddedServer({ config, client, log });
  if (!server.ok) return server;
  atEnd(() => server.value.close());
  const { main = '', extender = '', metrics = '' } = server.value.urls;
  plane.value.serveWebhookAt(main);
  const loop = new SchedulerLoop({
    client,
    settings: schedulerSettings(config, extender),
    clock,
    random,
    log,
  });
  atEnd(() => loop.stop());
  await loop.start();
  return parsed({ plane: plane.value, client, config, urls: { main, extender, metrics }, log, random });
}

/** Opens the view and lets the people in. */
async function show(
  { plane, client, config, urls, log, random }: Running,
  parts: {
    readonly options: DemoOptions;
    readonly nodes: readonly NodeDescription[];
    readonly atEnd: AtEnd;
    readonly help: readonly string[];
  },
): Promise<void> {
  const { options, nodes, atEnd, help } = parts;
  const board = new PodBoard({
    client,
    config: config.vendors.nvidia,
    indexOf: cardIndexes(nodes),
    clock,
    random,
    log,
  });
  atEnd(() => board.stop());
  let view: View;
  if (process.stdout.isTTY) {
    const questions = new ServerQuestions(urls.main, await plane.readAuthority());
    atEnd(() => {
      questions.close();
    });
    const screen = new Screen(process.stdout, processEnvironment()['NO_COLOR'] === undefined);
    view = new LiveView({ screen, board, questions, clock, help });
  } else {
    view = new PlainView({ clock, help, write: console.log });
  }
  atEnd(() => view.close());
  view.open();
  await board.start((change) => {
    view.take(change);
  });
  const stream = new PodStream({
    client,
    board,
    manifests: examplePods(namespace, seededRandom(options.seed + 1)),
    namespace,
    podsPerSecond: options.podsPerSecond,
    opening: nodes.length,
    clock,
    log,
  });
  atEnd(() => stream.stop());
  stream.start();
}

function cardIndexes(nodes: readonly NodeDescription[]): (deviceId: string) => number | undefined {
  const indexes = new Map(
    nodes.flatMap((node) => devicesOf(node, nvidiaFamily.vendor)).map(({ id, index }) => [id, index]),
  );
  return (deviceId) => indexes.get(deviceId);
}
