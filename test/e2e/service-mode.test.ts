import { describe, expect } from '@jest/globals';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import type { PemPair } from '../../src/certificates/pem.ts';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import { installTessera, serviceMode } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { podManifest, untilAllIn } from './harness/pods.ts';
import { authorityOfServer } from './harness/questions.ts';
import { useCluster } from './harness/use-cluster.ts';

let cluster: Cluster;
let agent: NodeAgent;
let config: string;
let clientAuthority: PemPair;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, [makeMachine('gpu-1', 2), makeMachine('gpu-2', 2)]);
  clientAuthority = await makeAuthority('schedulers');
  const extenderClientCa = clientAuthority.certificate;
  ({ schedulerConfig: config } = await installTessera(cluster, { installer: serviceMode, extenderClientCa }));
});

function makeAuthority(commonName: string): Promise<PemPair> {
  return issueAuthority({ commonName, validDays: 1, nowMs: Date.now() });
}

function sharedPod(name: string): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 };
  return podManifest({ name, containers: [{ limits }] });
}

/** Starts kube-scheduler with the authority that it trusts, and a certificate of its own by another. */
async function startScheduler(trusted: string, own: PemPair): Promise<void> {
  const leaf = await issueLeaf({
    authority: own,
    names: ['kube-scheduler'],
    validDays: 1,
    nowMs: Date.now(),
    clientAuth: true,
  });
  if (!leaf.ok) throw new Error(leaf.problem);
  const { folder } = cluster;
  const extenderTls = {
    caFile: await folder.write('extender-ca.crt', trusted),
    certFile: await folder.write('extender.crt', leaf.value.certificate),
    keyFile: await folder.write('extender.key', leaf.value.key),
  };
  // Its own user may use no lease but that of the cluster's kube-scheduler.
  await cluster.startScheduler(config, { kubeconfig: cluster.adminKubeconfig, extenderTls });
}

/** Waits for a line about a pod in kube-scheduler's log. */
async function untilLogged(pod: string, pattern: RegExp): Promise<void> {
  await eventually(`kube-scheduler says ${String(pattern)} of ${pod}`, async () => {
    const lines = ((await cluster.scheduler?.log()) ?? '').split('\n');
    const said = lines.some((line) => line.includes(pod) && pattern.test(line));
    return said ? { done: true } : { not: 'nothing of the kind' };
  });
}

describe('a kube-scheduler elsewhere', () => {
  scenario('reaches the server through its Service, over TLS', async () => {
    await startScheduler(await authorityOfServer(cluster), clientAuthority);
    await cluster.create(Array.from({ length: 6 }, (_, index) => sharedPod(`remote-${index}`)));
    await untilAllIn(cluster, 'Running');
    expect(agent.book.records).toHaveLength(6);
    expect(agent.book.faults).toEqual([]);
  });

  scenario('is turned away without a certificate of the authority for clients', async () => {
    await startScheduler(await authorityOfServer(cluster), await makeAuthority('strangers'));
    await cluster.create([sharedPod('unknown-caller')]);
    await untilLogged('default/unknown-caller', /code 403/);
  });

  scenario('trusts nobody else who answers there', async () => {
    const { certificate } = await makeAuthority('impostor');
    await startScheduler(certificate, clientAuthority);
    await cluster.create([sharedPod('unknown-server')]);
    await untilLogged('default/unknown-server', /x509: certificate signed by unknown authority/);
    expect(agent.book.records).toHaveLength(6);
  });
});
