import { describe, expect, it } from '@jest/globals';
import { Requests } from '../../src/scheduler/requests.ts';
import { gpuPod, nvidiaVendors } from '../state/support/device-states.ts';

describe('the requests that were read', () => {
  it('are read once per UID and resource version', () => {
    const requests = new Requests(nvidiaVendors);
    const first = requests.read(gpuPod());
    expect(requests.read(gpuPod())).toBe(first);
    expect(requests.find('uid-pod-1')).toBe(first);
    const changed = requests.read(gpuPod({ resourceVersion: '2', gpu: { count: 2 } }));
    expect(changed.reading.request.counts.get('nvidia.com/gpu')).toBe(2);
    expect(requests.find('uid-pod-1')).toBe(changed);
  });

  it('are read anew each time where no resource version tells changes', () => {
    const requests = new Requests(nvidiaVendors);
    requests.read(gpuPod({ resourceVersion: '' }));
    const changed = requests.read(gpuPod({ resourceVersion: '', gpu: { count: 2 } }));
    expect(changed.reading.request.counts.get('nvidia.com/gpu')).toBe(2);
  });

  it('are not kept without a UID, under which other pods would find them', () => {
    const requests = new Requests(nvidiaVendors);
    expect(requests.read(gpuPod({ uid: '' })).reading.problems).toEqual([]);
    expect(requests.find('')).toBeUndefined();
  });

  it('keep the number of retries when the pod changes, and lose it when the pod is forgotten', () => {
    const requests = new Requests(nvidiaVendors);
    requests.read(gpuPod()).retries = 2;
    expect(requests.read(gpuPod({ resourceVersion: '2' })).retries).toBe(2);
    requests.forget('uid-pod-1');
    requests.forget('uid-pod-1');
    expect(requests.find('uid-pod-1')).toBeUndefined();
    expect(requests.read(gpuPod()).retries).toBe(0);
  });

  it('are bounded: the oldest is forgotten first', () => {
    const requests = new Requests(nvidiaVendors);
    const pod = gpuPod();
    const uids = Array.from({ length: 20_001 }, (_, index) => `uid-${index}`);
    for (const uid of uids) requests.read({ ...pod, uid });
    expect(requests.find('uid-0')).toBeUndefined();
    expect(uids.slice(1).every((uid) => requests.find(uid) !== undefined)).toBe(true);
  });
});
