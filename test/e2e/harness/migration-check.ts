/** `tessera migrate check` as an operator runs it before the switch, with the right to look and no other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';
import { tesseraEntry } from './tessera.ts';

/** What is said of the cluster's objects; the JSON form of the report. */
export interface CheckReport {
  readonly exitCode: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly {
    readonly code: string;
    readonly object: { readonly kind: string; readonly namespace?: string; readonly name: string };
    readonly sentence: string;
  }[];
}

const namespace = 'default';
const account = 'onlooker';

/** Looks at the whole cluster as an account that may write nothing. */
export async function checkMigration(cluster: Cluster, args: readonly string[] = []): Promise<CheckReport> {
  const { exitCode, stdout, stderr } = await runTessera([
    'migrate',
    'check',
    `--kubeconfig=${await onlooker(cluster)}`,
    '--json',
    ...args,
  ]);
  if (stdout === '') throw new Error(`migrate check ended with ${exitCode ?? 'a signal'}: ${stderr}`);
  return { exitCode, ...(JSON.parse(stdout) as Omit<CheckReport, 'exitCode'>) };
}

async function onlooker(cluster: Cluster): Promise<string> {
  const rules = [
    { apiGroups: [''], resources: ['nodes', 'pods', 'resourcequotas', 'configmaps'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
    { apiGroups: ['admissionregistration.k8s.io'], resources: ['mutatingwebhookconfigurations'] },
  ].map((rule) => ({ ...rule, verbs: ['list'] }));
  await cluster.apply([
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: account }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: account },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: account },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    },
  ]);
  return cluster.accountKubeconfig(namespace, account);
}

async function runTessera(args: readonly string[]) {
  const child = spawn(process.execPath, [tesseraEntry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}
