/** `tessera doctor` as it is built, as an administrator runs it against a cluster and its server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';
import { type Tessera, tesseraEntry } from './tessera.ts';

/** The JSON form of its report. */
export interface DoctorReport {
  readonly exitCode: number | null;
  readonly looked: { readonly entries: number | null };
  readonly findings: readonly {
    readonly code: string;
    readonly severity: 'fault' | 'note';
    readonly sentence: string;
  }[];
}

/** Looks at the whole cluster and at the ledger of this server. Throws where it could not look. */
export async function askDoctor(cluster: Cluster, tessera: Tessera): Promise<DoctorReport> {
  const args = [
    'doctor',
    '--json',
    `--kubeconfig=${cluster.adminKubeconfig}`,
    `--config=${tessera.config}`,
    `--server=https://127.0.0.1:${tessera.port}`,
  ];
  const child = spawn(process.execPath, [tesseraEntry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (stdout === '') throw new Error(`doctor ended with ${exitCode ?? 'a signal'}: ${stderr}`);
  return { exitCode, ...(JSON.parse(stdout) as Omit<DoctorReport, 'exitCode'>) };
}
