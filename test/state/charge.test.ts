import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { Device } from '../../src/model/device.ts';
import { readAllocation } from '../../src/state/annotated-allocation.ts';
import { chargeOf, dependsOnDevices, type Trust, withheldCards } from '../../src/state/charge.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { type ContainerObjectFields, gpuLimits } from '../support/kubernetes-objects.ts';
import { makeDevice } from '../support/views.ts';
import { allocationAnnotations, nvidiaVendors, podObject } from './support/device-states.ts';
import { dcuAllocated, dcuVendor } from './support/second-vendor.ts';

const known = [
  makeDevice({ index: 0 }),
  makeDevice({ index: 1 }),
  makeDevice({ id: 'dcu-0', vendor: 'DCU' }),
];

interface Bound {
  readonly containers: readonly ContainerObjectFields[];
  readonly annotations: TextMap;
  readonly trust: Trust;
  readonly vendors?: readonly Vendor[];
}

/** The charge of a pod that is bound to n1, whose cards are gpu-0 and gpu-1, with 8192 MiB each. */
function charge({ containers, annotations, trust, vendors = nvidiaVendors }: Bound) {
  const pod = podObject({ nodeName: 'n1', containers, annotations });
  const annotated = readAllocation(pod, vendors);
  const roles = pod.containers.map(({ role }) => role);
  const { allocation, unknown } = chargeOf({
    request: readPodRequest(pod, vendors).request,
    annotated,
    trust,
    vendors,
    deviceOf: (vendor, id) => known.find((device) => device.vendor === vendor && device.id === id),
  });
  return {
    shares: allocation.map((shares) =>
      shares
        .map(({ deviceId, memoryMiB, corePercent }) => `${deviceId} ${memoryMiB}/${corePercent}`)
        .join(' + '),
    ),
    withheld: Object.fromEntries(withheldCards(unknown, roles, false)),
    problems: annotated.problems.map(({ annotation }) => annotation),
  };
}

const asks = (count: number, memoryMiB: number, corePercent = 0) => ({
  limits: gpuLimits({ count, memoryMiB, corePercent }),
});
const asksPercent = (count: number, memoryPercent: number) => ({
  limits: gpuLimits({ count, memoryPercent }),
});
const asksNonsense = { limits: gpuLimits({ count: 1, memoryMiB: '16Gi' }) };
const onN1 = (value: string) => allocationAnnotations('n1', value);
const allocated = 'hami.io/vgpu-devices-allocated';

describe('a trusted allocation', () => {
  const cases = [
    {
      name: 'is charged as written, even below the request',
      containers: [asks(1, 3000, 30)],
      value: 'gpu-0,NVIDIA,1000,10:;',
      wantShares: ['gpu-0 1000/10'],
    },
    {
      name: 'is charged as written on a card that the node does not announce',
      containers: [asks(1, 3000)],
      value: 'gpu-9,NVIDIA,3000,0:;',
      wantShares: ['gpu-9 3000/0'],
    },
    {
      name: 'of a request that cannot be read is charged as written',
      containers: [asksNonsense],
      value: 'gpu-1,NVIDIA,4096,0:;',
      wantShares: ['gpu-1 4096/0'],
    },
    {
      name: 'keeps the containers apart',
      containers: [{}, asks(1, 500), asks(2, 700)],
      value: ';gpu-0,NVIDIA,500,0:;gpu-0,NVIDIA,700,0:gpu-1,NVIDIA,700,0:;',
      wantShares: ['', 'gpu-0 500/0', 'gpu-0 700/0 + gpu-1 700/0'],
    },
  ];
  it.each(cases)('$name', ({ containers, value, wantShares }) => {
    expect(charge({ containers, annotations: onN1(value), trust: 'as-written' })).toEqual({
      shares: wantShares,
      withheld: {},
      problems: [],
    });
  });

  it('that gives nothing to a container that asks is not believed', () => {
    const empty = charge({ containers: [asks(1, 3000)], annotations: onN1(';'), trust: 'as-written' });
    expect(empty.withheld).toEqual({ NVIDIA: 1 });
  });
});

describe('an allocation without trust', () => {
  const cases: {
    name: string;
    containers: readonly ContainerObjectFields[];
    value: string;
    wantShares: readonly string[];
    wantWithheld?: number;
    wantProblems?: readonly string[];
  }[] = [
    {
      name: 'is raised to the request in memory and in cores',
      containers: [asks(1, 3000, 30)],
      value: 'gpu-0,NVIDIA,1,0:;',
      wantShares: ['gpu-0 3000/30'],
    },
    {
      name: 'is raised in one dimension alone where only that one is too low',
      containers: [asks(1, 3000, 30)],
      value: 'gpu-0,NVIDIA,4000,0:;',
      wantShares: ['gpu-0 4000/30'],
    },
    {
      name: 'stays where it is above the request',
      containers: [asks(1, 3000, 30)],
      value: 'gpu-0,NVIDIA,4000,50:;',
      wantShares: ['gpu-0 4000/50'],
    },
    {
      name: 'is raised to the percentage of the card it names',
      containers: [asksPercent(1, 33)],
      value: 'gpu-0,NVIDIA,0,0:;',
      wantShares: ['gpu-0 2703/0'],
    },
    {
      name: 'on an unknown card counts there, and a whole card is withheld',
      containers: [asks(1, 3000)],
      value: 'gpu-9,NVIDIA,3000,0:;',
      wantShares: ['gpu-9 3000/0'],
      wantWithheld: 1,
    },
    {
      name: 'on one known and one unknown card withholds one',
      containers: [asks(2, 3000)],
      value: 'gpu-0,NVIDIA,3000,0:gpu-9,NVIDIA,3000,0:;',
      wantShares: ['gpu-0 3000/0 + gpu-9 3000/0'],
      wantWithheld: 1,
    },
    {
      name: 'that names one card twice does not pass for two cards',
      containers: [asks(2, 3000)],
      value: 'gpu-0,NVIDIA,3000,0:gpu-0,NVIDIA,3000,0:;',
      wantShares: ['gpu-0 3000/0 + gpu-0 3000/0'],
      wantWithheld: 1,
    },
    {
      name: 'on fewer cards than asked withholds the rest',
      containers: [asks(3, 3000)],
      value: 'gpu-0,NVIDIA,3000,0:;',
      wantShares: ['gpu-0 3000/0'],
      wantWithheld: 2,
    },
    {
      name: 'on more cards than asked is charged on all of them',
      containers: [asks(1, 3000)],
      value: 'gpu-0,NVIDIA,3000,0:gpu-1,NVIDIA,1,0:;',
      wantShares: ['gpu-0 3000/0 + gpu-1 3000/0'],
    },
    {
      name: 'at a container that asks for nothing is charged as written',
      containers: [{}],
      value: 'gpu-0,NVIDIA,3000,10:;',
      wantShares: ['gpu-0 3000/10'],
    },
    {
      name: 'of a request that cannot be read is charged as the whole card',
      containers: [asksNonsense],
      value: 'gpu-1,NVIDIA,16,0:;',
      wantShares: ['gpu-1 8192/100'],
    },
    ...['', ';', 'xx;'].map((value) => ({
      name: `that names no device (${JSON.stringify(value)}) withholds what is asked, and is reported`,
      containers: [asks(1, 3000)],
      value,
      wantShares: [''],
      wantWithheld: 1,
      wantProblems: [allocated],
    })),
  ];
  it.each(cases)('$name', ({ containers, value, wantShares, wantWithheld, wantProblems = [] }) => {
    expect(charge({ containers, annotations: onN1(value), trust: 'at-least-request' })).toEqual({
      shares: wantShares,
      withheld: wantWithheld === undefined ? {} : { NVIDIA: wantWithheld },
      problems: wantProblems,
    });
  });
});

describe.each<Trust>(['as-written', 'at-least-request'])(
  'whatever the trust (%s), whole cards are withheld for',
  (trust) => {
    const one = [asks(1, 3000)];
    const cases = [
      { name: 'no annotation at all', containers: one, annotations: {}, wantWithheld: 1, wantProblems: [] },
      {
        name: 'two cards without annotation',
        containers: [asks(2, 10)],
        annotations: {},
        wantWithheld: 2,
        wantProblems: [],
      },
      {
        name: 'a request in 16Gi without annotation',
        containers: [asksNonsense],
        annotations: {},
        wantWithheld: 1,
        wantProblems: [],
      },
      {
        name: 'several cards whose memory cannot be read',
        containers: [{ limits: gpuLimits({ count: 3, memoryMiB: '16Gi' }) }],
        annotations: {},
        wantWithheld: 3,
        wantProblems: [],
      },
      {
        name: 'an allocation for another node',
        containers: one,
        annotations: allocationAnnotations('n2', 'gpu-0,NVIDIA,3000,0:;'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'an allocation that names no node',
        containers: one,
        annotations: { [allocated]: 'gpu-0,NVIDIA,3000,0:;' },
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'a value that is no allocation',
        containers: one,
        annotations: onN1('gpu-0'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'an empty value',
        containers: one,
        annotations: onN1(''),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'a missing field',
        containers: one,
        annotations: onN1('gpu-0,NVIDIA,1:;'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'negative memory',
        containers: one,
        annotations: onN1('gpu-0,NVIDIA,-3000,0:;'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'negative cores',
        containers: one,
        annotations: onN1('gpu-0,NVIDIA,3000,-1:;'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: "another vendor's word",
        containers: one,
        annotations: onN1('gpu-0,DCU,3000,0:;'),
        wantWithheld: 1,
        wantProblems: [allocated],
      },
      {
        name: 'one good and one bad share',
        containers: [asks(2, 10)],
        annotations: onN1('gpu-0,NVIDIA,10,0:gpu-1,NVIDIA,x,0:;'),
        wantWithheld: 2,
        wantProblems: [allocated],
      },
    ];
    it.each(cases)('$name', ({ containers, annotations, wantWithheld, wantProblems }) => {
      expect(charge({ containers, annotations, trust })).toEqual({
        shares: containers.map(() => ''),
        withheld: { NVIDIA: wantWithheld },
        problems: wantProblems,
      });
    });
  },
);

describe('a pod that asks for no device', () => {
  it('is charged nothing, whatever it is called', () => {
    expect(charge({ containers: [{}], annotations: {}, trust: 'at-least-request' })).toEqual({
      shares: [''],
      withheld: {},
      problems: [],
    });
  });
});

describe('two vendors on one pod', () => {
  const vendors = [...nvidiaVendors, dcuVendor];
  const both = { limits: { ...gpuLimits({ count: 1, memoryMiB: 3000 }), 'hygon.com/dcunum': '1' } };

  it.each<Trust>(['as-written', 'at-least-request'])(
    "one's broken value does not hide the other's (%s)",
    (trust) => {
      const annotations = { ...onN1('gpu-0,NVIDIA,broken,0:;'), [dcuAllocated]: 'dcu-0,DCU,8192,100:;' };
      expect(charge({ containers: [both], annotations, trust, vendors })).toEqual({
        shares: ['dcu-0 8192/100'],
        withheld: { NVIDIA: 1 },
        problems: [allocated],
      });
    },
  );

  it('an absent value withholds cards of its own vendor alone', () => {
    const annotations = onN1('gpu-0,NVIDIA,3000,0:;');
    expect(charge({ containers: [both], annotations, trust: 'as-written', vendors })).toEqual({
      shares: ['gpu-0 3000/0'],
      withheld: { DCU: 1 },
      problems: [],
    });
  });
});

describe('a charge that is said not to depend on the devices', () => {
  it('is the same whatever devices there are', () => {
    const entry = fc.constantFrom('', 'gpu-0,NVIDIA,3000,30:', 'gpu-0,NVIDIA,10,0:gpu-9,NVIDIA,10,0:');
    const container = fc.constantFrom<ContainerObjectFields>(
      {},
      asks(1, 3000),
      asks(2, 10),
      asksPercent(1, 50),
      asksNonsense,
    );
    const seen = { dependent: 0, independent: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(container, entry), { minLength: 1, maxLength: 3 }),
        fc.constantFrom<Trust>('as-written', 'at-least-request'),
        (parts, trust) => {
          const containers = parts.map(([fields], index) => ({ ...fields, name: `c${index}` }));
          const annotations = onN1(parts.map(([, text]) => `${text};`).join(''));
          const pod = podObject({ nodeName: 'n1', containers, annotations });
          const { request } = readPodRequest(pod, nvidiaVendors);
          const derivedFrom = { annotated: readAllocation(pod, nvidiaVendors), trust };
          const chargeBeside = (devices: readonly Device[]) =>
            chargeOf({
              request,
              ...derivedFrom,
              vendors: nvidiaVendors,
              deviceOf: (_, id) => devices.find((device) => device.id === id),
            });
          if (dependsOnDevices(request, derivedFrom)) {
            seen.dependent += 1;
          } else {
            seen.independent += 1;
            expect(chargeBeside([])).toEqual(chargeBeside(known));
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(Math.min(seen.dependent, seen.independent)).toBeGreaterThan(100);
  });
});
