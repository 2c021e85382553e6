import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { DeviceSelector } from '../../src/model/request.ts';
import { acceptsId, acceptsType, parseSelector } from '../../src/vendors/selection.ts';
import { makeDevice } from '../support/views.ts';
import { nvidia } from './nvidia-config.ts';

const { annotations: keys } = nvidia();
const useTypes = 'nvidia.com/use-gputype';
const avoidTypes = 'nvidia.com/nouse-gputype';
const useIds = 'nvidia.com/use-gpuuuid';
const avoidIds = 'nvidia.com/nouse-gpuuuid';
const modes = 'nvidia.com/vgpu-mode';

describe('parseSelector (spec §1.11)', () => {
  const none: DeviceSelector = { useTypes: [], avoidTypes: [], useIds: [], avoidIds: [], numaBound: false };
  const cases: { name: string; annotations: TextMap; want: Partial<DeviceSelector> | undefined }[] = [
    { name: 'no annotation: no selector', annotations: {}, want: undefined },
    {
      name: 'other annotations: no selector',
      annotations: { 'hami.io/gpu-scheduler-policy': 'numa' },
      want: undefined,
    },
    {
      name: 'a blank value: no constraint',
      annotations: { [useTypes]: '  ', [useIds]: '' },
      want: undefined,
    },
    {
      name: 'only separators: no constraint',
      annotations: { [avoidTypes]: ' , ,', [avoidIds]: ',' },
      want: undefined,
    },
    { name: 'types in lower case', annotations: { [useTypes]: 'A100' }, want: { useTypes: ['a100'] } },
    {
      name: 'a list with white space and empty items',
      annotations: { [useTypes]: ' A100 ,, Tesla V100,' },
      want: { useTypes: ['a100', 'tesla v100'] },
    },
    { name: 'types to avoid', annotations: { [avoidTypes]: 'P4,T4' }, want: { avoidTypes: ['p4', 't4'] } },
    {
      name: 'ids keep their case',
      annotations: { [useIds]: ' GPU-A , gpu-b' },
      want: { useIds: ['GPU-A', 'gpu-b'] },
    },
    { name: 'ids to avoid', annotations: { [avoidIds]: 'GPU-A' }, want: { avoidIds: ['GPU-A'] } },
    { name: 'modes as written', annotations: { [modes]: 'MIG, mps' }, want: { modes: 'MIG, mps' } },
    { name: 'an empty mode is still a constraint', annotations: { [modes]: '' }, want: { modes: '' } },
    {
      name: 'all of them',
      annotations: { [useTypes]: 'a', [avoidTypes]: 'b', [useIds]: 'c', [avoidIds]: 'd', [modes]: 'mig' },
      want: { useTypes: ['a'], avoidTypes: ['b'], useIds: ['c'], avoidIds: ['d'], modes: 'mig' },
    },
  ];
  it.each(cases)('$name', ({ annotations, want }) => {
    expect(parseSelector(annotations, keys)).toEqual(want === undefined ? undefined : { ...none, ...want });
  });

  it('knows no modes for a family that has none', () => {
    const { allocated, toAllocate } = keys;
    const withoutModes = { allocated, toAllocate, useTypes, avoidTypes, useIds, avoidIds };
    expect(parseSelector({ [modes]: 'mig' }, withoutModes)).toBeUndefined();
  });
});

describe('a selector accepts a device', () => {
  const device = makeDevice({ id: 'GPU-A', type: 'NVIDIA A100-SXM4-40GB', mode: 'hami-core' });
  const cases: { name: string; annotations: TextMap; wantType: boolean; wantId: boolean }[] = [
    {
      name: 'by a fragment of its type in any case',
      annotations: { [useTypes]: 'sxm4' },
      wantType: true,
      wantId: true,
    },
    {
      name: 'by one of several types',
      annotations: { [useTypes]: 'V100,A100' },
      wantType: true,
      wantId: true,
    },
    { name: 'not by another type', annotations: { [useTypes]: 'V100' }, wantType: false, wantId: true },
    {
      name: 'not when its type is to be avoided',
      annotations: { [avoidTypes]: 'nvidia' },
      wantType: false,
      wantId: true,
    },
    {
      name: 'not when its type is wanted and to be avoided',
      annotations: { [useTypes]: 'A100', [avoidTypes]: '40GB' },
      wantType: false,
      wantId: true,
    },
    { name: 'by its id', annotations: { [useIds]: 'GPU-B,GPU-A' }, wantType: true, wantId: true },
    { name: 'not by a part of its id', annotations: { [useIds]: 'GPU' }, wantType: true, wantId: false },
    {
      name: 'not by its id in another case',
      annotations: { [useIds]: 'gpu-a' },
      wantType: true,
      wantId: false,
    },
    {
      name: 'not when its id is wanted and to be avoided',
      annotations: { [useIds]: 'GPU-A', [avoidIds]: 'GPU-A' },
      wantType: true,
      wantId: false,
    },
    {
      name: 'not when only another id is to be avoided',
      annotations: { [avoidIds]: 'GPU-B' },
      wantType: true,
      wantId: true,
    },
    {
      name: 'by a list of modes with its own',
      annotations: { [modes]: 'mig,hami-core' },
      wantType: true,
      wantId: true,
    },
    { name: 'not by another mode', annotations: { [modes]: 'mig' }, wantType: false, wantId: true },
    { name: 'not by an empty mode', annotations: { [modes]: '' }, wantType: false, wantId: true },
  ];
  it.each(cases)('$name', ({ annotations, wantType, wantId }) => {
    const selector = parseSelector(annotations, keys);
    expect(selector && [acceptsType(selector, device), acceptsId(selector, device)]).toEqual([
      wantType,
      wantId,
    ]);
  });
});
