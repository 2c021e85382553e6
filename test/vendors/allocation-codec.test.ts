import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Allocation } from '../../src/model/allocation.ts';
import { decodeEntries, encodeAllocation } from '../../src/vendors/allocation-codec.ts';
import { damagedText } from './damaged-text.ts';
import { makeShare } from './make-share.ts';

const [a, b] = [makeShare('GPU-a'), makeShare('GPU-b')];

describe('the table of spec §1.9, both ways', () => {
  const cases: { name: string; allocation: Allocation; encoded: string }[] = [
    {
      name: '1 container, 1 GPU, 3000 MiB, 30 cores',
      allocation: [[a]],
      encoded: 'GPU-a,NVIDIA,3000,30:;',
    },
    {
      name: '1 container, 2 GPUs',
      allocation: [[a, b]],
      encoded: 'GPU-a,NVIDIA,3000,30:GPU-b,NVIDIA,3000,30:;',
    },
    {
      name: '2 containers, one GPU each',
      allocation: [[makeShare('GPU-a', 500, 3)], [makeShare('GPU-b', 500, 3)]],
      encoded: 'GPU-a,NVIDIA,500,3:;GPU-b,NVIDIA,500,3:;',
    },
    {
      name: 'a container without GPU first, sidecar or init',
      allocation: [[], [a]],
      encoded: ';GPU-a,NVIDIA,3000,30:;',
    },
    {
      name: 'GPU init and GPU app on one card',
      allocation: [[makeShare('GPU-a', 8000)], [makeShare('GPU-a', 5000)]],
      encoded: 'GPU-a,NVIDIA,8000,30:;GPU-a,NVIDIA,5000,30:;',
    },
    {
      name: 'no memory and no cores',
      allocation: [[makeShare('GPU-a', 0, 0)]],
      encoded: 'GPU-a,NVIDIA,0,0:;',
    },
    { name: 'a last container without GPU', allocation: [[a], []], encoded: 'GPU-a,NVIDIA,3000,30:;;' },
  ];
  it.each(cases)('$name', ({ allocation, encoded }) => {
    expect(encodeAllocation(allocation, 'NVIDIA')).toBe(encoded);
    expect(decodeEntries(encoded, 'NVIDIA')).toEqual({ ok: true, value: allocation });
  });

  it.each([
    { name: 'no container at all', allocation: [] },
    { name: 'no container with a device', allocation: [[], []] },
    { name: "only another vendor's devices", allocation: [[makeShare('DCU-0', 1, 1, 'DCU')]] },
  ])('no annotation for $name', ({ allocation }) => {
    expect(encodeAllocation(allocation, 'NVIDIA')).toBeUndefined();
  });

  it("leaves out other vendors' shares and keeps the containers in place", () => {
    const dcu = makeShare('DCU-0', 1, 1, 'DCU');
    const allocation = [[dcu], [dcu, a], []];
    expect(encodeAllocation(allocation, 'NVIDIA')).toBe(';GPU-a,NVIDIA,3000,30:;;');
    expect(encodeAllocation(allocation, 'DCU')).toBe('DCU-0,DCU,1,1:;DCU-0,DCU,1,1:;;');
  });
});

describe('decodeEntries reads what others leave behind', () => {
  const cases: { name: string; value: string; want: Allocation }[] = [
    { name: 'nothing', value: '', want: [] },
    {
      name: 'a MIG instance of v2.9, which is a part of its card',
      value: 'GPU-a[1-0],NVIDIA,3000,30:;',
      want: [[a]],
    },
    {
      name: 'two containers, the first consumed by the plugin',
      value: ';GPU-b,NVIDIA,3000,30:;;',
      want: [[], [b], []],
    },
    { name: 'two containers, both consumed', value: ';;;;', want: [[], [], [], []] },
    { name: 'one container, consumed', value: ';;', want: [[], []] },
    { name: 'a missing last separator', value: 'GPU-a,NVIDIA,3000,30:', want: [[a]] },
    { name: 'a missing device separator', value: 'GPU-a,NVIDIA,3000,30;', want: [[a]] },
    { name: 'fields of later versions', value: 'GPU-a,NVIDIA,3000,30,x,y:;', want: [[a]] },
    { name: 'pieces without a comma', value: 'GPU-a:GPU-a,NVIDIA,3000,30:x:;', want: [[a]] },
    {
      name: 'the largest numbers of 32 bits',
      value: 'GPU-a,NVIDIA,2147483647,2147483647:;',
      want: [[makeShare('GPU-a', 2147483647, 2147483647)]],
    },
  ];
  it.each(cases)('$name', ({ value, want }) => {
    expect(decodeEntries(value, 'NVIDIA')).toEqual({ ok: true, value: want });
  });
});

describe('decodeEntries refuses', () => {
  const missing = 'pod annotation format error, missing fields, do not use nodeName in task spec';
  const cases: { name: string; value: string; wantProblem: string | RegExp }[] = [
    { name: 'three fields', value: 'GPU-a,NVIDIA,3000:;', wantProblem: missing },
    { name: 'two fields', value: 'GPU-a,NVIDIA:;', wantProblem: missing },
    {
      name: 'a memory that is no number',
      value: 'GPU-a,NVIDIA,3k,30:;',
      wantProblem: /^invalid memory field: /,
    },
    {
      name: 'a memory with white space',
      value: 'GPU-a,NVIDIA, 3,30:;',
      wantProblem: /^invalid memory field: /,
    },
    {
      name: 'a memory beyond 32 bits',
      value: 'GPU-a,NVIDIA,2147483648,30:;',
      wantProblem: /^invalid memory field: /,
    },
    { name: 'a negative memory', value: 'GPU-a,NVIDIA,-3000,30:;', wantProblem: /^invalid memory field: / },
    {
      name: 'cores that are no number',
      value: 'GPU-a,NVIDIA,3000,0x1e:;',
      wantProblem: /^invalid core field: /,
    },
    { name: 'negative cores', value: 'GPU-a,NVIDIA,3000,-30:;', wantProblem: /^invalid core field: / },
    { name: 'no device id', value: ',NVIDIA,3000,30:;', wantProblem: /device id/ },
    { name: "another vendor's device", value: 'DCU-0,DCU,3000,30:;', wantProblem: /"DCU".*NVIDIA/ },
    {
      name: 'the vendor word in other letters',
      value: 'GPU-a,nvidia,3000,30:;',
      wantProblem: /"nvidia".*NVIDIA/,
    },
    {
      name: 'one bad device among good ones',
      value: 'GPU-a,NVIDIA,3000,30:;GPU-b,NVIDIA:;',
      wantProblem: missing,
    },
  ];
  it.each(cases)('$name', ({ value, wantProblem }) => {
    const result = decodeEntries(value, 'NVIDIA');
    expect(result.ok ? result : result.problem).toEqual(
      typeof wantProblem === 'string' ? wantProblem : expect.stringMatching(wantProblem),
    );
  });

  function expectSound(value: string): void {
    const result = decodeEntries(value, 'NVIDIA');
    if (!result.ok) {
      expect(result.problem).not.toBe('');
      return;
    }
    for (const { deviceId, vendor, memoryMiB, corePercent } of result.value.flat()) {
      expect(deviceId.trim()).not.toBe('');
      expect(vendor).toBe('NVIDIA');
      for (const amount of [memoryMiB, corePercent]) {
        expect(Number.isInteger(amount) && amount >= 0 && amount < 2 ** 31).toBe(true);
      }
    }
  }

  it('arbitrary text without ever throwing', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectSound), { numRuns: 2000 });
  });

  it('damaged values without ever throwing or reading a wrong number', () => {
    const valid = [
      'GPU-a,NVIDIA,3000,30:;',
      ';GPU-a,NVIDIA,500,3:GPU-b,NVIDIA,500,3:;;',
      'GPU-a[1-0],NVIDIA,1,2:;',
    ];
    fc.assert(fc.property(damagedText(valid), expectSound), { numRuns: 3000 });
  });
});
