/** `tessera demo`: an embedded cluster at work, to look at and to talk to. Nothing of it outlives the command. */
import { Command, InvalidArgumentError } from 'commander';
import type { LogLevel } from '../config/config.ts';
import { fail } from './fail.ts';
import { untilInterrupted } from './until-interrupted.ts';

interface DemoFlags {
  readonly nodes: number;
  readonly rate: number;
  readonly seed: number;
  readonly duration?: number;
  readonly directory?: string;
  readonly listen: string;
  readonly listenApi: string;
  readonly listenExtender: string;
  readonly listenMetrics: string;
  readonly logLevel: LogLevel;
}

const anyPort = '127.0.0.1:0';
const mostNodes = 500;
const mostPodsPerSecond = 50;
const longestSeconds = 86_400;

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Show it working on an embedded cluster: simulated GPU nodes, a scheduler, and pods that come and go',
    )
    .option('--nodes <count>', 'how many nodes', numberIn(1, mostNodes, 'whole'), 12)
    .option('--rate <pods>', 'example pods per second; 0 for none', numberIn(0, mostPodsPerSecond), 1)
    .option('--seed <number>', 'of all that is left to chance', numberIn(0, 2 ** 31, 'whole'), 1)
    .option('--duration <seconds>', 'end by itself after this time', numberIn(0, longestSeconds))
    .option('--directory <path>', 'where its files go (default: a temporary folder, removed at the end)')
    .option('--listen <address>', 'host:port of the HTTPS server: webhook and explanations', anyPort)
    .option('--listen-api <address>', 'host:port of the embedded Kubernetes API, on loopback', anyPort)
    .option('--listen-extender <address>', 'host:port of the extender', anyPort)
    .option('--listen-metrics <address>', 'host:port of the metrics', anyPort)
    .option('--log-level <level>', 'of the log file: fatal, error, warn, info, debug or trace', 'warn')
    .action(demo);
}

async function demo({ rate, duration, ...flags }: DemoFlags): Promise<void> {
  const ends: Promise<unknown>[] = [untilInterrupted(), untilNobodyLooks()];
  if (duration !== undefined) ends.push(untilOver(duration));
  const { runDemo } = await import('./demo/run-demo.ts');
  const result = await runDemo({ ...flags, podsPerSecond: rate, ended: Promise.race(ends) });
  if (!result.ok) fail(result.problem);
}

function untilOver(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000).unref();
  });
}

/** The reader of a pipe has gone, as with `| head`, or the terminal was closed. */
function untilNobodyLooks(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on('error', () => {
      resolve();
    });
    process.on('SIGHUP', () => {
      resolve();
    });
  });
}

function numberIn(least: number, most: number, kind: 'whole' | 'any' = 'any'): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most && (kind === 'any' || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(
      `Write a ${kind === 'whole' ? 'whole ' : ''}number from ${least} to ${most}.`,
    );
  };
}
