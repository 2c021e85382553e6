/** What counts as a cluster in a file, and how a file that is none says where it went wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseSnapshot, readSnapshotFile, type Snapshot } from '../../src/commands/snapshot-file.ts';
import { makeNodeObject, makePod } from '../support/kubernetes-objects.ts';

const node = makeNodeObject({ name: 'n1', devices: [{}] });
const pod = makePod({ name: 'p1', namespace: 'team' });
const quota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'team' },
  spec: { hard: { 'limits.nvidia.com/gpumem': '30k' } },
};
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } };
const listOf = (items: readonly object[], kind = 'List') => ({ apiVersion: 'v1', kind, metadata: {}, items });
const withoutKind = ({ metadata, status }: typeof pod | typeof node) => ({ metadata, status });

function mustParse(text: string): Snapshot {
  const snapshot = parseSnapshot(text);
  if (!snapshot.ok) throw new Error(snapshot.problem);
  return snapshot.value;
}

const summaryOf = ({ nodes, pods, quotas, others }: Snapshot) => ({
  nodes: nodes.map(({ name }) => name),
  pods: pods.map(({ namespace: place, name, uid }) => `${place}/${name} ${uid}`),
  quotas: quotas.map(
    ({ namespace: place, name, hard }) => `${place}/${name} ${hard['limits.nvidia.com/gpumem'] ?? ''}`,
  ),
  others,
});

const whole = { nodes: ['n1'], pods: ['team/p1 uid-p1'], quotas: [] as string[], others: {} };

describe('snapshots', () => {
  const everything = listOf([node, pod, quota, namespace, namespace]);
  it.each([
    {
      name: 'a List in JSON, as kubectl prints it',
      text: JSON.stringify(everything),
      want: { ...whole, quotas: ['team/q 30k'], others: { Namespace: 2 } },
    },
    {
      name: 'a List in YAML',
      text: stringify(everything),
      want: { ...whole, quotas: ['team/q 30k'], others: { Namespace: 2 } },
    },
    {
      name: 'documents one after the other',
      text: [node, pod].map((item) => stringify(item)).join('---\n'),
      want: whole,
    },
    {
      name: 'documents of which some are empty or comments',
      text: `---\n---\n# nothing\n---\n${stringify(node)}---\n${stringify(pod)}---\n`,
      want: whole,
    },
    {
      name: 'a List beside documents',
      text: `${stringify(listOf([node]))}---\n${stringify(pod)}`,
      want: whole,
    },
    {
      name: 'typed lists, whose items name no kind',
      text: [listOf([withoutKind(node)], 'NodeList'), listOf([withoutKind(pod)], 'PodList')]
        .map((item) => stringify(item))
        .join('---\n'),
      want: whole,
    },
    {
      name: 'a typed list of another kind, counted',
      text: JSON.stringify(listOf([{ metadata: { name: 's' } }], 'SecretList')),
      want: { nodes: [], pods: [], quotas: [], others: { Secret: 1 } },
    },
    { name: 'one object alone', text: JSON.stringify(node), want: { ...whole, pods: [] } },
    {
      name: 'an empty list',
      text: JSON.stringify(listOf([])),
      want: { nodes: [], pods: [], quotas: [], others: {} },
    },
    {
      name: 'pods without namespace and UID, which get both',
      text: 'kind: Pod\nmetadata:\n  name: p\nspec:\n  containers: []\n',
      want: { nodes: [], pods: ['default/p default/p'], quotas: [], others: {} },
    },
    {
      name: 'pods without UID in their namespace',
      text: 'kind: Pod\nmetadata:\n  name: p\n  namespace: team\n',
      want: { nodes: [], pods: ['team/p team/p'], quotas: [], others: {} },
    },
    {
      name: 'JSON after white space',
      text: `\n  ${JSON.stringify(listOf([node, pod]))}\n`,
      want: whole,
    },
    {
      name: 'anchors and aliases',
      text: `kind: List\nitems:\n  - kind: Node\n    metadata: &m\n      name: n1\n  - kind: Pod\n    metadata: *m\n`,
      want: { nodes: ['n1'], pods: ['default/n1 default/n1'], quotas: [], others: {} },
    },
  ])('can be $name', ({ text, want }) => {
    expect(summaryOf(mustParse(text))).toEqual(want);
  });

  it('keep what the rest of the house reads', () => {
    const { nodes, pods } = mustParse(JSON.stringify(listOf([node, pod])));
    expect(nodes[0]).toMatchObject({ allocatable: { 'nvidia.com/gpu': '10', pods: '110' } });
    expect(Object.keys(nodes[0]?.annotations ?? {})).toEqual(['hami.io/node-nvidia-register']);
    expect(pods[0]).toMatchObject({ schedulerName: 'tessera-scheduler', phase: 'Pending' });
  });
});

describe('files that are no snapshot', () => {
  it.each([
    { name: 'broken JSON', text: '{"kind": "List", "items": [', want: /^not valid JSON: / },
    { name: 'broken YAML', text: `${stringify(node)}---\nmetadata: {name: [\n`, want: /^document 2: / },
    { name: 'a text', text: 'hello\n', want: /^document 1: no kind$/ },
    { name: 'a list of objects', text: '- kind: Node\n', want: /^document 1: no kind$/ },
    {
      name: 'an object without a kind',
      text: `${stringify(node)}---\nname: x\n`,
      want: /^document 2: no kind$/,
    },
    {
      name: 'an item without a kind',
      text: JSON.stringify(listOf([node, withoutKind(pod)])),
      want: /^document 1, item 2: no kind$/,
    },
    {
      name: 'an item that is no object',
      text: JSON.stringify(listOf([node, 7 as unknown as object])),
      want: /^document 1, item 2: no kind$/,
    },
    {
      name: 'a node without a name',
      text: JSON.stringify(listOf([{ kind: 'Node', metadata: {} }])),
      want: /^document 1, item 1: the node has no name$/,
    },
    {
      name: 'a pod without a name',
      text: 'kind: Pod\n',
      want: /^document 1: the pod has no name$/,
    },
    {
      name: 'a pod with a field of a wrong type',
      text: JSON.stringify(listOf([node, { ...pod, spec: { containers: 'main' } }])),
      want: /^document 1, item 2: spec\.containers: must be array$/,
    },
    {
      name: 'a node with a field of a wrong type',
      text: stringify({ ...node, status: { allocatable: { cpu: true } } }),
      want: /^document 1: status\.allocatable\.cpu: /,
    },
    {
      name: 'an alias that leads nowhere',
      text: `${stringify(node)}---\nkind: Node\nmetadata: *nowhere\n`,
      want: /^document 2: .*nowhere/,
    },
    {
      name: 'aliases that unfold without bounds',
      text: [
        'a: &a [x, x, x, x, x, x, x, x, x, x]',
        ...['b', 'c', 'd', 'e', 'f'].map(
          (key, index) =>
            `${key}: &${key} [${Array(10)
              .fill(`*${'abcde'[index] ?? ''}`)
              .join(', ')}]`,
        ),
        'kind: Node\n',
      ].join('\n'),
      want: /^document 1: /,
    },
  ])('name their place: $name', ({ text, want }) => {
    const snapshot = parseSnapshot(text);
    expect(snapshot).toEqual({ ok: false, problem: expect.stringMatching(want) as unknown });
  });

  it('say it in one line, for it is printed as one sentence', () => {
    const snapshot = parseSnapshot('kind: Node\nmetadata: {name: [\n');
    expect(snapshot).toEqual({ ok: false, problem: expect.not.stringContaining('\n') as unknown });
  });

  it('never throw, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc.jsonValue().map((value) => stringify(value)),
          fc
            .jsonValue()
            .map((value) => JSON.stringify(listOf([{ kind: 'Pod', spec: value, metadata: value }]))),
          fc
            .array(
              fc.constantFrom(
                'kind: Node',
                '  name: n',
                'metadata:',
                '---',
                '&a',
                '*a',
                '- ',
                '{',
                '!!x',
                '\t',
              ),
            )
            .map((lines) => lines.join('\n')),
        ),
        (text) => {
          const snapshot = parseSnapshot(text);
          if (!snapshot.ok) expect(snapshot.problem).not.toBe('');
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('reading a snapshot file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-snapshot-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('gives what it holds', () => {
    const file = join(directory, 'good.json');
    writeFileSync(file, JSON.stringify(listOf([node, pod])));
    const snapshot = readSnapshotFile(file);
    expect(snapshot.ok && summaryOf(snapshot.value)).toEqual(whole);
  });

  it('names the file in every refusal', () => {
    const broken = join(directory, 'broken.yaml');
    writeFileSync(broken, 'kind: Pod\n');
    for (const file of [broken, join(directory, 'missing.yaml'), directory]) {
      const snapshot = readSnapshotFile(file);
      expect(snapshot).toEqual({ ok: false, problem: expect.stringContaining(file) as unknown });
    }
  });

  it('takes the example that comes with the project', () => {
    const snapshot = readSnapshotFile(new URL('../../examples/cluster.yaml', import.meta.url).pathname);
    if (!snapshot.ok) throw new Error(snapshot.problem);
    expect(snapshot.value.nodes.length).toBeGreaterThan(1);
    expect(snapshot.value.pods.some(({ nodeName }) => nodeName === undefined)).toBe(true);
  });
});
