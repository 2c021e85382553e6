/**
 * Quirks of the reference about what the extender reads and answers (spec §13.1): Q17, Q18 and, on the wire, Q19. Each
 * test fails on what the reference does, which a comment in it states.
 */
import { describe, expect, it } from '@jest/globals';
import type { ExtenderFilterResult } from '../../src/wire/extender.ts';
import { post } from '../http/exchange.ts';
import { allNames, largePod, sampleNodes, smallPod } from '../http/sample-cluster.ts';
import { makeServedApp, type ServedAppFields } from '../http/served-app.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';

const mebibyte = 1024 * 1024;

async function filter(body: unknown, fields: ServedAppFields = {}) {
  const { app } = makeServedApp({ nodes: sampleNodes, ...fields });
  const response = await post(app, '/filter', body);
  return { status: response.status, ...(response.body as ExtenderFilterResult) };
}

describe('a body of more than 1 MiB', () => {
  const bodyOf = (bytes: number) => {
    const body = JSON.stringify({ Pod: smallPod, NodeNames: allNames });
    return body + ' '.repeat(bytes - body.length);
  };

  it('Q17: is read to its end', async () => {
    // The reference cuts it after 1 MiB and fails on what is left as JSON; blanks at the end are kind to it, so the
    // names come last.
    const body = `{"Pod":${JSON.stringify(smallPod)},${' '.repeat(2 * mebibyte)}"NodeNames":["a100"]}`;
    expect(await filter(body, { bodyLimitMiB: 4 })).toMatchObject({ NodeNames: ['a100'], Error: '' });
  });

  it('Q17: is refused by its size where that exceeds what is configured', async () => {
    const { app } = makeServedApp({ nodes: sampleNodes, bodyLimitMiB: 1 });
    const { status, text } = await post(app, '/filter', bodyOf(mebibyte + 1));
    // The reference reads the first 1 MiB, here a whole pod with its nodes, and answers as if that had been all.
    expect({ status, text }).toEqual({
      status: 413,
      text: expect.stringContaining('larger than 1 MiB (configuration key bodyLimitMiB)') as unknown,
    });
  });
});

describe('nodes sent as objects', () => {
  it('Q18: or as names, but neither, is an error in words', async () => {
    // The reference dereferences nil and resets the connection.
    expect(await filter({ Pod: smallPod, Nodes: null, NodeNames: null })).toMatchObject({
      status: 200,
      Error: 'extender args name no nodes: NodeNames and Nodes are both null',
    });
  });

  const nodes = ['n1', 'n2', 'n3'].map((name) =>
    makeNodeObject({ name, devices: [{ id: `GPU-${name}`, memoryMiB: 10_000 }] }),
  );
  const namesOf = ({ Nodes }: Pick<ExtenderFilterResult, 'Nodes'>) =>
    ((Nodes as { items: { metadata: { name: string } }[] } | null)?.items ?? []).map(
      ({ metadata }) => metadata.name,
    );

  it('Q18: come back with all that fit, and what is used of them counts', async () => {
    const full = makePod({
      name: 'full',
      nodeName: 'n2',
      containers: [{ limits: gpuLimits({ count: 1, memoryMiB: 9000 }) }],
      annotations: { 'hami.io/vgpu-node': 'n2', 'hami.io/vgpu-devices-allocated': 'GPU-n2,NVIDIA,9000,0:;' },
    });
    const answer = await filter({ Pod: smallPod, Nodes: { items: nodes } }, { nodes, pods: [full] });
    // The reference answers one node, and takes every node for an empty one.
    expect(namesOf(answer)).toEqual(['n1', 'n3']);
  });

  it('Q18: come back for a pod without cards', async () => {
    const answer = await filter({ Pod: makePod({ name: 'plain' }), Nodes: { items: nodes } }, { nodes });
    // The reference answers with no nodes at all, which reads as "fits nowhere".
    expect(namesOf(answer)).toEqual(['n1', 'n2', 'n3']);
  });
});

describe('nodes that are refused for good', () => {
  it('Q19: are said to be unresolvable, so that nobody is evicted in vain', async () => {
    // The reference puts them into FailedNodes, and kube-scheduler looks for pods to evict there.
    expect(await filter({ Pod: largePod, NodeNames: allNames })).toMatchObject({
      NodeNames: ['a100'],
      FailedNodes: {},
      FailedAndUnresolvableNodes: {
        t4: 'CardInsufficientMemory, CardNotHealth',
        cpu: 'node unregistered',
      },
    });
  });
});
