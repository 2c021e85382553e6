/** What admission adds to the limits of a container (spec §4.4, steps 4 and 5). */
import { describe, expect, it } from '@jest/globals';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { makeAdmissionDeps, makeRawContainer, makeRawPod, mustAdmit } from './admission-fixture.ts';

interface LimitsCase {
  readonly name: string;
  readonly limits: Readonly<Record<string, string | number>>;
  readonly nvidia?: Partial<NvidiaConfig>;
  /** Limits beside those given. */
  readonly wantAdded: Readonly<Record<string, string>>;
}

const count = 'nvidia.com/gpu';
const memory = 'nvidia.com/gpumem';
const percent = 'nvidia.com/gpumem-percentage';
const cores = 'nvidia.com/gpucores';

const cases: readonly LimitsCase[] = [
  {
    name: 'a bare count becomes a request for exclusive cards',
    limits: { [count]: '1' },
    wantAdded: { [cores]: '100' },
  },
  { name: 'a count with memory is complete', limits: { [count]: '1', [memory]: '8192' }, wantAdded: {} },
  {
    name: 'all memory by percent means exclusive cards',
    limits: { [count]: '1', [percent]: '100' },
    wantAdded: { [cores]: '100' },
  },
  {
    name: 'half the memory by percent is a share',
    limits: { [count]: '1', [percent]: '50' },
    wantAdded: {},
  },
  { name: 'memory alone asks for one card', limits: { [memory]: '3000' }, wantAdded: { [count]: '1' } },
  { name: 'cores alone ask for one card', limits: { [cores]: '30' }, wantAdded: { [count]: '1' } },
  {
    name: 'a percentage alone asks for one card',
    limits: { [percent]: '50' },
    wantAdded: { [count]: '1' },
  },
  {
    name: 'all memory by percent alone asks for one exclusive card',
    limits: { [percent]: '100' },
    wantAdded: { [count]: '1', [cores]: '100' },
  },
  { name: 'a count with cores is complete', limits: { [count]: '1', [cores]: '70' }, wantAdded: {} },
  {
    name: 'cores of 0 are cores that were given',
    limits: { [count]: '1', [cores]: '0' },
    wantAdded: {},
  },
  {
    name: 'several cards are exclusive together',
    limits: { [count]: '2' },
    wantAdded: { [cores]: '100' },
  },
  {
    name: 'amounts written as numbers are read',
    limits: { [count]: 1, [percent]: 100 },
    wantAdded: { [cores]: '100' },
  },
  {
    name: 'the percentage is read by value',
    limits: { [count]: '1', [percent]: '1e2' },
    wantAdded: { [cores]: '100' },
  },
  { name: 'no GPU resource asks for no card', limits: { cpu: '1', memory: '16Gi' }, wantAdded: {} },
  {
    name: 'a count of 0 asks for no card, so nothing is exclusive',
    limits: { [count]: '0' },
    wantAdded: {},
  },
  {
    name: 'the configured count is given',
    limits: { [memory]: '3000' },
    nvidia: { defaultGPUNum: 2 },
    wantAdded: { [count]: '2' },
  },
  {
    name: 'a cluster without a memory resource has exclusive cards only',
    limits: { [count]: '1' },
    nvidia: { resourceMemoryName: '' },
    wantAdded: { [cores]: '100' },
  },
  {
    name: 'other resource names are honoured',
    limits: { 'example.com/mib': '3000' },
    nvidia: { resourceCountName: 'example.com/card', resourceMemoryName: 'example.com/mib' },
    wantAdded: { 'example.com/card': '1' },
  },
];

describe('limits that admission adds', () => {
  it.each(cases)('$name', ({ limits, nvidia = {}, wantAdded }) => {
    const pod = makeRawPod({ containers: [makeRawContainer(limits)] });
    const { patched } = mustAdmit(pod, makeAdmissionDeps({ nvidia }));
    expect(patched).toEqual(makeRawPod({ containers: [makeRawContainer({ ...limits, ...wantAdded })] }));
  });

  it('completes every container by itself, wherever it stands', () => {
    const pod = makeRawPod({
      initContainers: [
        makeRawContainer({ [memory]: '100' }, { name: 'fetch' }),
        makeRawContainer({ [cores]: '10' }, { name: 'proxy', restartPolicy: 'Always' }),
      ],
      containers: [
        makeRawContainer({}, { name: 'plain' }),
        makeRawContainer({ [count]: '1' }, { name: 'whole' }),
      ],
    });
    const { patched } = mustAdmit(pod, makeAdmissionDeps());
    expect(patched).toEqual(
      makeRawPod({
        initContainers: [
          makeRawContainer({ [memory]: '100', [count]: '1' }, { name: 'fetch' }),
          makeRawContainer({ [cores]: '10', [count]: '1' }, { name: 'proxy', restartPolicy: 'Always' }),
        ],
        containers: [
          makeRawContainer({}, { name: 'plain' }),
          makeRawContainer({ [count]: '1', [cores]: '100' }, { name: 'whole' }),
        ],
      }),
    );
  });

  it('counts cores that stand in the requests as given', () => {
    const container = { name: 'main', resources: { limits: { [count]: '1' }, requests: { [cores]: '20' } } };
    const pod = makeRawPod({ containers: [container] });
    expect(mustAdmit(pod, makeAdmissionDeps()).patched).toEqual(pod);
  });

  it('adds no count when the configuration gives none, and then says what is missing', () => {
    const pod = makeRawPod({ containers: [makeRawContainer({ [memory]: '3000' })] });
    const deps = makeAdmissionDeps({ nvidia: { defaultGPUNum: 0 } });
    expect(() => mustAdmit(pod, deps)).toThrow(/"main": nvidia\.com\/gpu: "" is missing/);
  });
});
