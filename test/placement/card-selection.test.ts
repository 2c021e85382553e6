import { describe, expect, it } from '@jest/globals';
import type { Device } from '../../src/model/device.ts';
import type { DeviceSelector } from '../../src/model/request.ts';
import { acceptsId, acceptsType, parseSelector } from '../../src/vendors/selection.ts';
import { makeSelector } from '../support/requests.ts';
import { makeDevice } from '../support/views.ts';

const keys = {
  allocated: 'allocated',
  toAllocate: 'to-allocate',
  useTypes: 'use-type',
  avoidTypes: 'nouse-type',
  useIds: 'use-id',
  avoidIds: 'nouse-id',
  modes: 'mode',
};

describe('parseSelector', () => {
  const cases: {
    name: string;
    annotations: Record<string, string>;
    want: Partial<DeviceSelector> | undefined;
  }[] = [
    { name: 'no annotation constrains nothing', annotations: {}, want: undefined },
    { name: 'foreign annotations constrain nothing', annotations: { other: 'A100' }, want: undefined },
    {
      name: 'blank values and lone commas constrain nothing',
      annotations: { 'use-type': ' ', 'nouse-type': '', 'use-id': ',', 'nouse-id': ' , ,' },
      want: undefined,
    },
    {
      name: 'items are trimmed, empty ones dropped; types lose their case, ids keep it',
      annotations: {
        'use-type': ' A100, ,Tesla V100,',
        'nouse-type': 'P4',
        'use-id': 'GPU-A ,GPU-b',
        'nouse-id': 'GPU-C',
      },
      want: {
        useTypes: ['a100', 'tesla v100'],
        avoidTypes: ['p4'],
        useIds: ['GPU-A', 'GPU-b'],
        avoidIds: ['GPU-C'],
      },
    },
    {
      name: 'a mode is kept as written, lists and all',
      annotations: { mode: 'mig, hami-core' },
      want: { modes: 'mig, hami-core' },
    },
    {
      name: 'an empty mode is still a constraint (spec §5.6, rule 3: present)',
      annotations: { mode: '' },
      want: { modes: '' },
    },
  ];
  it.each(cases)('$name', ({ annotations, want }) => {
    expect(parseSelector(annotations, keys)).toEqual(want === undefined ? undefined : makeSelector(want));
  });

  it('a family without modes ignores that annotation', () => {
    const { allocated, toAllocate, useTypes, avoidTypes, useIds, avoidIds } = keys;
    const withoutModes = { allocated, toAllocate, useTypes, avoidTypes, useIds, avoidIds };
    expect(parseSelector({ mode: 'mig' }, withoutModes)).toBeUndefined();
  });
});

describe('acceptsType and acceptsId', () => {
  const cases: {
    name: string;
    selector: Partial<DeviceSelector>;
    device?: Partial<Device>;
    want: [boolean, boolean];
  }[] = [
    { name: 'empty lists accept all', selector: {}, want: [true, true] },
    {
      name: 'a fragment of the type is enough, in any case',
      selector: { useTypes: ['a100-sxm'] },
      want: [true, true],
    },
    {
      name: 'one of several fragments is enough',
      selector: { useTypes: ['h100', 'nvidia'] },
      want: [true, true],
    },
    { name: 'another model is refused', selector: { useTypes: ['a10-', 'v100'] }, want: [false, true] },
    { name: 'an avoided fragment refuses', selector: { avoidTypes: ['h100', '40gb'] }, want: [false, true] },
    {
      name: 'avoiding wins over using',
      selector: { useTypes: ['a100'], avoidTypes: ['40gb'], useIds: ['gpu-0'], avoidIds: ['gpu-0'] },
      want: [false, false],
    },
    {
      name: 'a card without a type matches no fragment',
      selector: { useTypes: ['a'] },
      device: { type: '' },
      want: [false, true],
    },
    { name: 'an id must be equal', selector: { useIds: ['gpu-0'] }, want: [true, true] },
    {
      name: 'a fragment of an id is not enough',
      selector: { useIds: ['gpu', 'gpu-00'] },
      want: [true, false],
    },
    { name: 'another case of an id is another id', selector: { useIds: ['GPU-0'] }, want: [true, false] },
    { name: 'an avoided id refuses', selector: { avoidIds: ['gpu-0'] }, want: [true, false] },
    { name: 'a fragment of an avoided id does not', selector: { avoidIds: ['gpu'] }, want: [true, true] },
    { name: 'the mode must be part of the text', selector: { modes: 'mig,hami-core' }, want: [true, true] },
    { name: 'another mode is refused', selector: { modes: 'mig' }, want: [false, true] },
    { name: 'an empty text holds no mode', selector: { modes: '' }, want: [false, true] },
    { name: 'a mode is compared with its case', selector: { modes: 'HAMI-CORE' }, want: [false, true] },
  ];
  it.each(cases)('$name', ({ selector, device, want }) => {
    const whole = makeSelector(selector);
    const card = makeDevice(device);
    expect([acceptsType(whole, card), acceptsId(whole, card)]).toEqual(want);
  });
});
