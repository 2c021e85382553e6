import { describe, expect, it } from '@jest/globals';
import { vendorsOf } from '../family-vendors.ts';
import { VendorWorld } from '../vendor-world.ts';
import { acmeFamily } from './acme.ts';

const npu = (id: string, index: number, board?: number) => ({
  id,
  index,
  count: 4,
  devmem: 65_536,
  devcore: 100,
  type: index < 2 ? 'Acme One' : 'Acme Two',
  health: true,
  ...(board === undefined ? {} : { custominfo: { board } }),
});

/** Three cards on two boards, and one that says of none. */
const node = {
  annotations: {
    'acme.example/node-npus': JSON.stringify([npu('a', 0, 0), npu('b', 1, 1), npu('c', 2, 1), npu('d', 3)]),
  },
  allocatable: { 'acme.example/npu': '16' },
};

function acmeWorld(allocatable = node.allocatable): VendorWorld {
  return new VendorWorld({ vendors: vendorsOf(acmeFamily), nodes: [{ ...node, allocatable }] });
}

const asks = (count: number, memoryGiB: number, percent: number) => ({
  limits: {
    'acme.example/npu': String(count),
    'acme.example/npu-memory': String(memoryGiB),
    'acme.example/npu-cores': String(percent),
  },
});

describe('Acme NPUs', () => {
  it('are given in the annotations that the plugin reads', () => {
    const world = acmeWorld();
    expect(world.bind({ containers: [{}, asks(2, 8, 30)] })).toMatchObject({
      'acme.example/npus-allocated': ';c,ACME,8192,30:b,ACME,8192,30:;',
      'acme.example/npus-to-allocate': ';c,ACME,8192,30:b,ACME,8192,30:;',
      'acme.example/npu-indexes': ';2,1',
    });
    expect(world.used()).toEqual({ a: '0/0/0', b: '1/8192/30', c: '1/8192/30', d: '0/0/0' });
  });

  it.each([
    { name: 'two cards of one board', containers: [asks(2, 1, 1)], want: 'fits' },
    { name: 'no three cards are on one', containers: [asks(3, 1, 1)], want: '3 CardTopologyMismatch' },
    {
      name: 'one after the other may be on several',
      containers: [asks(2, 1, 60), asks(1, 1, 60)],
      want: 'fits',
    },
    { name: 'more memory than there is', containers: [asks(1, 65, 1)], want: '4 CardInsufficientMemory' },
  ])('$name: $want', ({ containers, want }) => {
    expect(acmeWorld().refusal({ containers })).toBe(want);
  });

  it('are picked by type', () => {
    const annotations = { 'acme.example/use-type': 'one' };
    expect(acmeWorld().cards({ annotations, containers: [asks(1, 1, 1)] })).toEqual([['b']]);
    expect(acmeWorld().refusal({ annotations, containers: [asks(2, 1, 1)] })).toBe(
      '1 CardTopologyMismatch, 2 CardTypeMismatch',
    );
  });

  it('are away while their plugin is', () => {
    expect(acmeWorld({ 'acme.example/npu': '0' }).refusal({ containers: [asks(1, 1, 1)] })).toBe(
      'NodeUnregistered',
    );
  });

  it.each([
    { limits: asks(1, 1.5, 1).limits, want: 'acme.example/npu-memory has a fraction' },
    { limits: { 'acme.example/npu-cores': '50' }, want: 'acme.example/npu is missing' },
  ])('refuse what nobody can understand: $want', ({ limits, want }) => {
    expect(acmeWorld().problems({ containers: [{ limits }] })).toEqual([expect.stringContaining(want)]);
  });

  it('leave no annotation of the plugin to tenants', () => {
    const annotations = { 'acme.example/npu-indexes': '0', note: 'kept' };
    const admitted = acmeWorld().admit({ annotations, containers: [asks(1, 1, 1)] });
    expect(admitted).toMatchObject({ metadata: { annotations: { note: 'kept' } } });
    expect(JSON.stringify(admitted)).not.toContain('npu-indexes');
  });
});
