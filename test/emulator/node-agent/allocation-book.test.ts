import { describe, expect, it } from '@jest/globals';
import { AllocationBook, type Gift } from '../../../src/emulator/node-agent/allocation-book.ts';
import { migCard } from '../../../src/emulator/node-agent/mig-cards.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import { makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeDevice } from '../../support/views.ts';

function podOf(fields: PodFields) {
  const pod = parsePod(makePod(fields));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

function shareOf(memoryMiB: number, corePercent = 10, deviceId = 'gpu-0') {
  return { vendor: 'NVIDIA', deviceId, memoryMiB, corePercent };
}

function setup() {
  const book = new AllocationBook(new ManualClock(5000));
  book.setDevices('n1', [makeDevice({ id: 'gpu-0', slots: 2, memoryMiB: 8000 })]);
  const give = (
    pod: ReturnType<typeof podOf>,
    container: string,
    share: ReturnType<typeof shareOf>,
    meant: { pod?: ReturnType<typeof podOf>; container?: string } = {},
  ) => {
    book.give(
      { node: 'n1', pod, container },
      { pod, container, shares: [share], instances: [], env: { NVIDIA_VISIBLE_DEVICES: 'gpu-0' }, ...meant },
    );
  };
  return { book, give };
}

describe('the book', () => {
  it('records who was given what', () => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', shareOf(8000));
    expect(book.records).toEqual([
      {
        atMs: 5000,
        node: 'n1',
        podUid: 'uid-p1',
        podName: 'default/p1',
        container: 'c0',
        takenFromUid: 'uid-p1',
        shares: [shareOf(8000)],
        instances: [],
        env: { NVIDIA_VISIBLE_DEVICES: 'gpu-0' },
      },
    ]);
    expect(book.faults).toEqual([]);
  });

  it('reports a pod that was given the devices of another', () => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', shareOf(1), { pod: podOf({ name: 'p2' }) });
    expect(book.faults).toEqual(['default/p1 (uid-p1) was given the devices of default/p2 (uid-p2)']);
  });

  it('reports a container that was given the devices of another', () => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', shareOf(1), { container: 'c1' });
    expect(book.faults).toEqual(['default/p1: container c0 was given the devices of c1']);
  });

  it('reports a device that the node does not have', () => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', shareOf(1, 1, 'gpu-9'));
    expect(book.faults).toEqual(['node n1 has no device gpu-9']);
  });

  const dimensions = [
    { name: 'memory', first: shareOf(4000), second: shareOf(4001), want: '8001 of 8000 memoryMiB' },
    { name: 'cores', first: shareOf(1, 60), second: shareOf(1, 41), want: '101 of 100 corePercent' },
  ];
  it.each(dimensions)('reports a card over-committed in $name', ({ first, second, want }) => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', first);
    give(podOf({ name: 'p2' }), 'c0', second);
    expect(book.faults).toEqual([`device gpu-0 of node n1 is over-committed: ${want}`]);
  });

  it('reports a card over-committed in slots', () => {
    const { book, give } = setup();
    for (const name of ['p1', 'p2', 'p3']) give(podOf({ name }), 'c0', shareOf(1));
    expect(book.faults).toEqual(['device gpu-0 of node n1 is over-committed: 3 of 2 slots']);
  });

  it('counts nothing of a pod that has ended', () => {
    const { book, give } = setup();
    give(podOf({ name: 'p1' }), 'c0', shareOf(8000));
    book.end('uid-p1');
    give(podOf({ name: 'p2' }), 'c0', shareOf(8000));
    expect(book.faults).toEqual([]);
    expect(book.usageOf('n1').get('gpu-0')).toEqual({ slots: 1, memoryMiB: 8000, corePercent: 10 });
  });

  it('counts init containers until they have ended', () => {
    const { book, give } = setup();
    const pod = podOf({ name: 'p1', containers: [{ name: 'init', role: 'init' }, { name: 'app' }] });
    give(pod, 'init', shareOf(8000));
    give(pod, 'app', shareOf(3000));
    expect(book.usageOf('n1').get('gpu-0')?.memoryMiB).toBe(8000);
    book.finishInit('uid-p1');
    expect(book.usageOf('n1').get('gpu-0')?.memoryMiB).toBe(3000);
    expect(book.faults).toEqual([]);
  });
});

describe('the book of several families', () => {
  const dcu = { vendor: 'DCU', deviceId: 'DCU-0', memoryMiB: 100, corePercent: 10 };

  function withTwo() {
    const { book } = setup();
    book.setDevices('n1', [
      makeDevice({ id: 'gpu-0', slots: 2, memoryMiB: 8000 }),
      makeDevice({ id: 'DCU-0', vendor: 'DCU', slots: 4, memoryMiB: 150 }),
    ]);
    const give = (pod: ReturnType<typeof podOf>, container: string, more: Partial<Gift>) => {
      const meant = { pod, container, shares: [], instances: [], env: {}, ...more };
      book.give({ node: 'n1', pod, container }, meant);
    };
    return { book, give };
  }

  it('adds up what each gives to one container, and counts what one gives again once', () => {
    const { book, give } = withTwo();
    const pod = podOf({ name: 'p1' });
    give(pod, 'c0', { shares: [shareOf(1000)] });
    give(pod, 'c0', { shares: [dcu] });
    give(pod, 'c0', { shares: [dcu] });
    expect(book.usageOf('n1')).toEqual(
      new Map([
        ['gpu-0', { slots: 1, memoryMiB: 1000, corePercent: 10 }],
        ['DCU-0', { slots: 1, memoryMiB: 100, corePercent: 10 }],
      ]),
    );
    expect(book.faults).toEqual([]);
  });

  it('reports what a plugin gives though it is wrong', () => {
    const { book, give } = withTwo();
    give(podOf({ name: 'p1' }), 'c0', { shares: [dcu], oddities: ['written down under another word'] });
    expect(book.faults).toEqual(['written down under another word']);
  });

  const clash = (kind: string, other: string) => (kind === other ? undefined : `${kind} beside ${other}`);
  const kinds = (kind: string) => ({ shares: [{ ...dcu, memoryMiB: 10, kind }], clash });

  it('reports shares that cannot be on one card, while both are there', () => {
    const { book, give } = withTwo();
    give(podOf({ name: 'p1' }), 'c0', kinds('soft'));
    give(podOf({ name: 'p2' }), 'c0', kinds('soft'));
    expect(book.faults).toEqual([]);
    give(podOf({ name: 'p3' }), 'c0', kinds('hard'));
    expect(book.faults).toEqual([
      'device DCU-0, pod uid-p3 beside uid-p1: hard beside soft',
      'device DCU-0, pod uid-p3 beside uid-p2: hard beside soft',
    ]);
    for (const uid of ['uid-p1', 'uid-p2', 'uid-p3']) book.end(uid);
    give(podOf({ name: 'p4' }), 'c0', kinds('hard'));
    expect(book.faults).toHaveLength(2);
  });

  it('lets a pod’s init container have what clashes with its successors', () => {
    const { book, give } = withTwo();
    const pod = podOf({ containers: [{ name: 'init', role: 'init' }, { name: 'a' }, { name: 'b' }] });
    give(pod, 'init', kinds('hard'));
    give(pod, 'a', kinds('soft'));
    expect(book.faults).toEqual([]);
    give(pod, 'b', kinds('hard'));
    expect(book.faults).toEqual(['device DCU-0, pod uid-pod-1 beside uid-pod-1: hard beside soft']);
  });

  it('lets no init container have what clashes with another pod', () => {
    const { book, give } = withTwo();
    give(podOf({ name: 'p1' }), 'c0', kinds('soft'));
    const pod = podOf({ name: 'p2', containers: [{ name: 'init', role: 'init' }, {}] });
    give(pod, 'init', kinds('hard'));
    expect(book.faults).toEqual(['device DCU-0, pod uid-p2 beside uid-p1: hard beside soft']);
  });
});

describe('the book of a card in MIG mode', () => {
  const card = makeDevice({
    id: 'gpu-0',
    mode: 'mig',
    slots: 7,
    memoryMiB: 40_960,
    migProfiles: migCard('A100-40GB').migProfiles,
  });

  function giveSlices(starts: readonly number[], size = 1) {
    const book = new AllocationBook(new ManualClock());
    book.setDevices('n1', [card]);
    for (const [index, start] of starts.entries()) {
      const pod = podOf({ name: `p${index}` });
      const instance = {
        deviceId: 'gpu-0',
        podUid: pod.uid,
        profile: '1g.5gb',
        placement: { start, size },
        migUuid: `MIG-${index}`,
        gpuInstanceId: index,
        computeInstanceId: 0,
      };
      const shares = [shareOf(4864, 15)];
      book.give(
        { node: 'n1', pod, container: 'c0' },
        { pod, container: 'c0', shares, instances: [instance], env: {} },
      );
    }
    return book;
  }

  it('lets its seven instances add up to more compute than the card has', () => {
    const book = giveSlices([0, 1, 2, 3, 4, 5, 6]);
    expect(book.usageOf('n1').get('gpu-0')).toEqual({ slots: 7, memoryMiB: 7 * 4864, corePercent: 105 });
    expect(book.faults).toEqual([]);
  });

  it('reports two instances that overlap, until one has ended', () => {
    const book = giveSlices([2, 2]);
    expect(book.faults).toEqual(['MIG instance 1g.5gb at 2 of gpu-0 overlaps 1g.5gb at 2 of pod uid-p0']);
    book.end('uid-p0');
    expect(book.instancesOf('n1').map(({ migUuid }) => migUuid)).toEqual(['MIG-1']);
  });
});
