import { describe, expect, it } from '@jest/globals';
import { negotiate } from '../../../src/emulator/api/negotiation.ts';

describe('negotiate', () => {
  it.each([
    { name: 'nothing asked', accept: undefined, want: 'objects' },
    { name: 'anything', accept: '*/*', want: 'objects' },
    { name: 'JSON', accept: 'application/json', want: 'objects' },
    {
      name: 'as kubectl get asks',
      accept:
        'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
      want: 'table',
    },
    {
      name: 'a table of an older version only',
      accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io',
      want: undefined,
    },
    {
      name: 'protobuf, else JSON',
      accept: 'application/vnd.kubernetes.protobuf,application/json',
      want: 'objects',
    },
    { name: 'protobuf only', accept: 'application/vnd.kubernetes.protobuf', want: undefined },
    {
      name: 'metadata, else objects',
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io, */*',
      want: 'objects',
    },
  ])('$name: $want', ({ accept, want }) => {
    expect(negotiate(accept)).toBe(want);
  });
});
