/** `tessera migrate check` as people run it: what it prints and how it ends. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { hamiPod } from '../migration/hami-objects.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const fileOf = makeTemporaryFiles();

const node = makeNodeObject({ name: 'n1', devices: [{ id: 'GPU-a' }] });
const limits = gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 });
const pod = hamiPod('GPU-a,NVIDIA,3000,30:;', { containers: [{ limits }] });
const migPod = hamiPod('GPU-a[0-1],NVIDIA,3000,30:;', { name: 'mig', containers: [{ limits }] });
const lease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace: 'kube-system', name: 'hami-scheduler' },
  spec: { holderIdentity: 'host-1_abc', leaseDurationSeconds: 15, renewTime: '2999-01-01T00:00:00.000000Z' },
};
const listOf = (...items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

const sound = fileOf('sound.json', listOf(node, pod, lease));
const blocked = fileOf('blocked.json', listOf(node, pod, migPod));

const check = (...args: readonly string[]) => new Tessera(['migrate', 'check', ...args]).ended();

describe('tessera migrate check', () => {
  it('ends with 0 where nothing stands in the way, and reads leases of their own group', async () => {
    const { code, stdout, stderr } = await check('--snapshot', sound, '--scheduler-name', 'hami-scheduler');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Looked at 1 node, 1 pod and 0 quotas: 0 blockers, 0 things to do, /);
    expect(stdout).toContain('    Lease kube-system/hami-scheduler: held by host-1_abc\n');
    expect(stdout).toMatch(/\nNothing stands in the way of the switch\.\n$/);
  });

  it('takes a cluster from several files, which may be JSON, and tells what none of them holds', async () => {
    const files = [
      fileOf('nodes.json', listOf(node)),
      fileOf('others.yaml', '---\n'),
      fileOf('pod.json', listOf(pod)),
    ];
    const { code, stdout } = await check('--snapshot', ...files);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Looked at 1 node, 1 pod and 0 quotas: /);
    const missing = stdout.split('\n').find((line) => line.includes('Cluster Lease'));
    expect(missing).toContain('no file holds any');
  });

  it('ends with 1 where there are blockers, with one JSON document if asked', async () => {
    const { code, stdout } = await check('--snapshot', blocked, '--json');
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(['version', 'looked', 'counts', 'findings']);
    expect(report).toMatchObject({
      version: 1,
      looked: { nodes: 1, pods: 2, quotas: 0 },
      counts: { blocker: 1 },
    });
    expect((report['findings'] as readonly unknown[])[0]).toEqual({
      code: 'MigPodBeforeV210',
      severity: 'blocker',
      object: { kind: 'Pod', namespace: 'default', name: 'mig' },
      sentence: expect.any(String),
      remedy: expect.any(String),
    });
  });

  it('says of the example what the page about it shows', async () => {
    const page = readFileSync(new URL('../../docs/moving-from-hami.md', import.meta.url), 'utf8');
    const shown =
      /```text\n([\s\S]+?)```/
        .exec(page)?.[1]
        ?.split('\n')
        .filter((line) => line !== '…') ?? [];
    const example = fileURLToPath(new URL('../../examples/hami-cluster.yaml', import.meta.url));
    const { code, stdout } = await check('--snapshot', example);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(shown));
    expect(shown.length).toBeGreaterThan(5);
  });

  it.each([
    {
      name: 'a file that is not there',
      args: ['--snapshot', `${import.meta.filename}.none`],
      want: 'cannot be read',
    },
    {
      name: 'a file without nodes',
      args: ['--snapshot', fileOf('pods.json', listOf(pod))],
      want: 'pods.json: no Node, so there is no cluster to look at',
    },
    {
      name: 'two files without nodes',
      args: ['--snapshot', fileOf('pods.json', listOf(pod)), fileOf('leases.json', listOf(lease))],
      want: 'leases.json: no Node, so there is no cluster to look at',
    },
    {
      name: 'two clusters',
      args: ['--snapshot', sound, '--kubeconfig', sound],
      want: '--snapshot and --kubeconfig name two clusters; give one',
    },
    { name: 'a flag that nobody knows', args: ['--snapshots', sound], want: "unknown option '--snapshots'" },
    {
      name: 'a configuration that cannot be read',
      args: ['--snapshot', sound, '--config', fileOf('odd.yaml', 'oddity: 1')],
      want: 'unknown key "oddity"',
    },
  ])('ends with 2 for $name', async ({ args, want }) => {
    const { code, stdout, stderr } = await check(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(want);
  });
});
