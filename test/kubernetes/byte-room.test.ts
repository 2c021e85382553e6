import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRoom } from '../../src/kubernetes/byte-room.ts';

describe('room for bytes', () => {
  it('holds what was put in since it was cleared', () => {
    const room = new ByteRoom();
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (pieces) => {
        room.clear();
        for (const piece of pieces) room.append(Buffer.from(piece));
        expect(room.bytes).toEqual(Buffer.concat(pieces));
        expect(room.length).toBe(room.bytes.length);
      }),
    );
  });

  it('takes part of a piece', () => {
    const room = new ByteRoom();
    room.append(Buffer.from('abcdef'), 2, 4);
    expect(room.bytes.toString()).toBe('cd');
  });

  it('uses the same memory again, unless it was a great deal', () => {
    const room = new ByteRoom();
    const memoryAfter = (bytes: number) => {
      room.clear();
      room.append(Buffer.alloc(bytes));
      return room.bytes.buffer;
    };
    const first = memoryAfter(1000);
    expect(memoryAfter(900)).toBe(first);
    memoryAfter(17 * 1024 * 1024);
    expect(memoryAfter(900).byteLength).toBe(900);
  });
});
