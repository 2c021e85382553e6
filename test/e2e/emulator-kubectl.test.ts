/** The real kubectl against the emulator: what a newcomer types at the demo works, and prints what it always prints. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { kubeconfigFor } from '../../src/emulator/api/kubeconfig.ts';
import { type Emulator, startEmulator } from '../../src/emulator/api/server.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { ensureBinaries } from './build-binaries.mjs';
import { type Kubectl, kubectlFor } from './harness/kubectl.ts';
import { RunFolder } from './harness/run-folder.ts';

let emulator: Emulator;
let folder: RunFolder;
let kubectl: Kubectl;

beforeAll(async () => {
  const binaries = await ensureBinaries({
    log: (line) => {
      console.error(line);
    },
  });
  emulator = await startEmulator({ clock: systemClock, random: Math.random });
  folder = await RunFolder.make();
  const kubeconfig = await folder.write('kubeconfig', kubeconfigFor(emulator.url));
  const run = kubectlFor(binaries.kubectl, kubeconfig);
  kubectl = async (args, options) =>
    (await run([`--cache-dir=${folder.file('cache')}`, ...args], options)).stdout;
});

afterAll(async () => {
  await emulator.close();
  await folder.remove();
});

async function post(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${emulator.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

function podText(name: string, more: object = {}): string {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 };
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...more },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: { limits } }] },
  });
}

async function bind(name: string, node: string): Promise<void> {
  await post(`/api/v1/namespaces/default/pods/${name}/binding`, {
    metadata: { name },
    target: { kind: 'Node', name: node },
  });
}

async function makeNode(name: string): Promise<void> {
  await post('/api/v1/nodes', {
    metadata: { name },
    status: {
      capacity: { cpu: '8', memory: '16Gi', pods: '110', 'nvidia.com/gpu': '20' },
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { kubeletVersion: 'v1.36.0' },
    },
  });
}

/** The lines of a table, each as its words. */
function rowsOf(output: string): readonly (readonly string[])[] {
  return output
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

describe('kubectl', () => {
  it('finds the version and the resources', async () => {
    expect(await kubectl(['version'])).toContain('Server Version: v1.36');
    const names = (await kubectl(['api-resources', '-o', 'name'])).trim().split('\n');
    expect(names).toEqual(expect.arrayContaining(['pods', 'nodes', 'leases.coordination.k8s.io']));
  });

  it('applies a file, again, and changed', async () => {
    const apply = (text: string) => kubectl(['apply', '-f', '-'], { input: text });
    expect(await apply(podText('applied'))).toBe('pod/applied created\n');
    expect(await apply(podText('applied', { labels: { app: 'x' } }))).toBe('pod/applied configured\n');
    expect(await kubectl(['get', 'pods', '-l', 'app=x', '-o', 'name'])).toBe('pod/applied\n');
    const limits = '{.spec.containers[0].resources.limits}';
    expect(JSON.parse(await kubectl(['get', 'pod', 'applied', '-o', `jsonpath=${limits}`]))).toEqual({
      'nvidia.com/gpu': '1',
      'nvidia.com/gpumem': '3k',
    });
  });

  it('shows pods in the usual columns', async () => {
    await kubectl(['create', '-f', '-'], { input: podText('shown') });
    const query = ['get', 'pods', '--field-selector=metadata.name=shown'];
    expect(rowsOf(await kubectl(query))).toEqual([
      ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
      ['shown', '0/1', 'Pending', '0', expect.stringMatching(/^\d+s$/)],
    ]);
    expect(rowsOf(await kubectl([...query, '-o', 'wide']))[0]).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'RESTARTS',
      'AGE',
      'IP',
      'NODE',
      'NOMINATED NODE',
      'READINESS GATES',
    ]);
  });

  it('describes a pod with its events', async () => {
    await kubectl(['create', '-f', '-'], { input: podText('described') });
    const uid = await kubectl(['get', 'pod', 'described', '-o', 'jsonpath={.metadata.uid}']);
    await post('/api/v1/namespaces/default/events', {
      metadata: { generateName: 'described.' },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'described', uid },
      reason: 'FilteringFailed',
      message: 'no card is free',
      type: 'Warning',
      source: { component: 'tessera' },
      firstTimestamp: new Date().toISOString(),
      lastTimestamp: new Date().toISOString(),
      count: 1,
    });
    const text = await kubectl(['describe', 'pod', 'described']);
    expect(text).toMatch(/nvidia\.com\/gpumem: +3k/);
    expect(text).toMatch(/Warning +FilteringFailed .* tessera +no card is free/);
    expect(await kubectl(['events', '--for=pod/described'])).toContain('no card is free');
    expect(rowsOf(await kubectl(['get', 'events']))[0]).toEqual([
      'LAST SEEN',
      'TYPE',
      'REASON',
      'OBJECT',
      'MESSAGE',
    ]);
  });

  it('tends nodes: taints, cordon, description', async () => {
    await makeNode('tended');
    expect(await kubectl(['taint', 'node', 'tended', 'node.kubernetes.io/not-ready:NoSchedule-'])).toContain(
      'untainted',
    );
    await kubectl(['cordon', 'tended']);
    expect(rowsOf(await kubectl(['get', 'nodes', 'tended']))[1]?.slice(0, 2)).toEqual([
      'tended',
      'Ready,SchedulingDisabled',
    ]);
    expect(await kubectl(['describe', 'node', 'tended'])).toMatch(/nvidia\.com\/gpu: +20/);
  });

  it('creates what it sends as protobuf', async () => {
    await kubectl(['create', 'namespace', 'team']);
    await kubectl(['create', 'quota', 'cards', '-n', 'team', '--hard=requests.nvidia.com/gpumem=3000']);
    await kubectl(['create', 'secret', 'generic', 'key', '-n', 'team', '--from-literal=a=b']);
    await kubectl(['create', 'configmap', 'map', '-n', 'team', '--from-literal=a=b']);
    const objects = JSON.parse(
      await kubectl(['get', 'quota,secret,configmap', '-n', 'team', '-o', 'json']),
    ) as {
      items: object[];
    };
    expect(objects.items).toMatchObject([
      { kind: 'ResourceQuota', spec: { hard: { 'requests.nvidia.com/gpumem': '3k' } } },
      { kind: 'Secret', data: { a: 'Yg==' } },
      { kind: 'ConfigMap', data: { a: 'b' } },
    ]);
    await kubectl(['delete', 'namespace', 'team', '--timeout=10s']);
    expect(await kubectl(['get', 'namespaces', '-o', 'name'])).not.toContain('team');
  });

  it('deletes: at once where nothing runs, and waits for what is bound', async () => {
    await kubectl(['create', '-f', '-'], { input: podText('pending') });
    await kubectl(['delete', 'pod', 'pending', '--timeout=10s']);
    await kubectl(['create', '-f', '-'], { input: podText('bound') });
    await bind('bound', 'somewhere');
    await kubectl(['delete', 'pod', 'bound', '--wait=false']);
    expect(rowsOf(await kubectl(['get', 'pod', 'bound']))[1]?.[2]).toBe('Terminating');
    await kubectl(['delete', 'pod', 'bound', '--grace-period=0', '--force', '--timeout=10s']);
    expect(await kubectl(['get', 'pods', '-o', 'name'])).not.toContain('pod/bound');
  });

  it('drains a node by evictions', async () => {
    await makeNode('drained');
    await kubectl(['create', '-f', '-'], { input: podText('evicted') });
    await bind('evicted', 'drained');
    const draining = kubectl(['drain', 'drained', '--force', '--timeout=20s']);
    const isDeleting = async () =>
      (await kubectl(['get', 'pod', 'evicted', '-o', 'jsonpath={.metadata.deletionTimestamp}'])) !== '';
    while (!(await isDeleting())) await kubectl(['version']);
    // As the node's agent does once the containers have ended.
    await kubectl(['delete', 'pod', 'evicted', '--grace-period=0', '--force']);
    expect(await draining).toContain('node/drained drained');
  });

  it('waits for a condition and follows changes', async () => {
    await kubectl(['create', '-f', '-'], { input: podText('awaited') });
    const waiting = kubectl(['wait', 'pod/awaited', '--for=jsonpath={.spec.nodeName}=n9', '--timeout=20s']);
    await bind('awaited', 'n9');
    expect(await waiting).toContain('condition met');
  });

  it('edits: label, annotate, patch, replace, dry run', async () => {
    await kubectl(['create', '-f', '-'], { input: podText('edited') });
    await kubectl(['label', 'pod', 'edited', 'a=1']);
    await kubectl(['annotate', 'pod', 'edited', 'b=2']);
    await kubectl([
      'patch',
      'pod',
      'edited',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/metadata/labels/c","value":"3"}]',
    ]);
    const text = await kubectl(['get', 'pod', 'edited', '-o', 'yaml']);
    await kubectl(['replace', '-f', '-'], { input: text.replace('b: "2"', 'b: "4"') });
    expect(JSON.parse(await kubectl(['get', 'pod', 'edited', '-o', 'json']))).toMatchObject({
      metadata: { labels: { a: '1', c: '3' }, annotations: { b: '4' } },
    });
    expect(await kubectl(['run', 'dry', '--image=x', '--dry-run=server', '-o', 'name'])).toBe('pod/dry\n');
    expect(await kubectl(['get', 'pods', '-o', 'name'])).not.toContain('pod/dry');
  });
});
