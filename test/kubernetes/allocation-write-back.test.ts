/** What is written back onto a pod, and what of it stays as others have made it. */
import { describe, expect, it } from '@jest/globals';
import { writeBack } from '../../src/kubernetes/allocation-write-back.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import type { RestResult } from '../../src/kubernetes/rest-result.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import type { PodObject, TextMap } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuPod, nodeObject, nvidiaVendors } from '../state/support/device-states.ts';
import { dcuAllocated, dcuVendor } from '../state/support/second-vendor.ts';
import { makeMigDevice } from '../support/mig-devices.ts';

const vendors = [...nvidiaVendors, dcuVendor];
const allocated = 'hami.io/vgpu-devices-allocated';
const sealer = new Sealer(Buffer.alloc(32, 7), vendors);
const seal = 'tessera.io/seal';
const reservations = 'hami.io/vgpu-mig-allocations';
const reserved = {
  containerIndex: 0,
  deviceIndex: 0,
  gpuUUID: 'gpu-0',
  profile: '2g.10gb',
  placement: { start: 2, size: 2 },
};
const made = { ...reserved, migUUID: 'MIG-1', gpuInstanceID: 3, computeInstanceID: 0 };

function sealedPod(annotations: TextMap): PodObject {
  const pod = gpuPod({ nodeName: 'n1', annotations: { 'hami.io/vgpu-node': 'n1', ...annotations } });
  return {
    ...pod,
    annotations: { ...pod.annotations, [seal]: sealer.seal(pod.uid, 'n1', pod.annotations) },
  };
}

/** Lets memory take the pod as it was, somebody change it, and the answer come; tells the patch and the outcome. */
async function mend(
  pod: PodObject,
  changes: TextMap,
  answer: RestResult = { kind: 'ok', status: 200, body: {} },
) {
  const state = new DeviceState({ vendors, trustOf: () => 'as-written' });
  state.applyNode(nodeObject({ devices: [makeMigDevice()] }));
  state.applyPod(pod, 0);
  const now = { ...pod, resourceVersion: '7', annotations: { ...pod.annotations, ...changes } };
  const requests: RestRequest[] = [];
  const client = {
    request: (request: RestRequest) => {
      requests.push(request);
      return Promise.resolve(answer);
    },
  };
  const outcome = await writeBack(now, state.entry(pod.uid)!, { client, sealer, state });
  return { outcome, requests, metadata: (requests[0]?.body as { metadata: object } | undefined)?.metadata };
}

const plain = sealedPod({ [allocated]: 'gpu-0,NVIDIA,3000,0:;' });
const onMig = sealedPod({
  [allocated]: 'gpu-0,NVIDIA,9984,29:;',
  [reservations]: JSON.stringify([reserved]),
});

describe('writing an allocation back', () => {
  it('touches keys of ours alone, on the version that was looked at', async () => {
    const { outcome, requests, metadata } = await mend(plain, {
      [allocated]: 'gpu-9,NVIDIA,1,0:;',
      own: 'x',
    });
    expect(outcome).toBeUndefined();
    expect(requests).toMatchObject([
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/default/pods/pod-1',
        contentType: 'application/merge-patch+json',
      },
    ]);
    expect(metadata).toEqual({
      uid: plain.uid,
      resourceVersion: '7',
      annotations: {
        'hami.io/vgpu-node': 'n1',
        [allocated]: 'gpu-0,NVIDIA,3000,0:;',
        [dcuAllocated]: null,
        [seal]: plain.annotations[seal],
      },
    });
  });

  it('takes away an allocation of a vendor of which the pod has nothing', async () => {
    const { metadata } = await mend(plain, { [dcuAllocated]: 'x,DCU,1,0:;' });
    expect(metadata).toMatchObject({
      annotations: { [dcuAllocated]: null, [seal]: plain.annotations[seal] },
    });
  });

  it('leaves what the device plugin has added to the reservations', async () => {
    const completed = JSON.stringify([made]);
    const { metadata } = await mend(onMig, { [reservations]: completed, [allocated]: ';' });
    expect(metadata).toMatchObject({
      annotations: { [reservations]: completed, [seal]: onMig.annotations[seal] },
    });
  });

  it.each([
    { name: 'another placement', value: JSON.stringify([{ ...made, placement: { start: 4, size: 2 } }]) },
    { name: 'what nobody can read', value: '[' },
  ])('writes the reservations back over $name', async ({ value }) => {
    const { metadata } = await mend(onMig, { [reservations]: value });
    expect(metadata).toMatchObject({
      annotations: { [reservations]: JSON.stringify([reserved]), [seal]: onMig.annotations[seal] },
    });
  });

  it('waits while the device plugin is at work', async () => {
    const { outcome, requests } = await mend(plain, { 'hami.io/bind-phase': 'allocating' });
    expect(outcome).toBe('the device plugin is at work on the pod');
    expect(requests).toEqual([]);
  });

  it('tells why it could not', async () => {
    const refusal = { kind: 'status', status: 409, reason: 'Conflict', message: 'changed' } as const;
    expect((await mend(plain, {}, refusal)).outcome).toBe('HTTP 409 Conflict: changed');
  });
});
