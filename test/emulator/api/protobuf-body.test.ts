import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readProtobuf } from '../../../src/emulator/api/protobuf-body.ts';

const magic = Buffer.from('k8s\0', 'latin1');

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function envelope(kind: string, raw: Buffer): Buffer {
  const typeMeta = Buffer.concat([field(1, 'v1'), field(2, kind)]);
  return Buffer.concat([magic, field(1, typeMeta), field(2, raw)]);
}

/** Map entries, one field each. */
function entries(number: number, map: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(map).map(([key, value]) => field(number, Buffer.concat([field(1, key), field(2, value)]))),
  );
}

describe('readProtobuf', () => {
  it('reads a config map of any size', () => {
    const texts = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(texts, texts, (labels, data) => {
        const metadata = Buffer.concat([field(1, 'cm'), entries(11, labels)]);
        const body = envelope('ConfigMap', Buffer.concat([field(1, metadata), entries(2, data)]));
        expect(readProtobuf(body)).toEqual({
          ok: true,
          value: {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'cm', ...(Object.keys(labels).length === 0 ? {} : { labels }) },
            ...(Object.keys(data).length === 0 ? {} : { data }),
          },
        });
      }),
    );
  });

  it('reads bytes as base64 and quantities as text', () => {
    const secret = Buffer.concat([field(1, field(1, 's')), entries(2, { key: 'plain' }), field(3, 'Opaque')]);
    expect(readProtobuf(envelope('Secret', secret))).toMatchObject({
      value: { type: 'Opaque', data: { key: 'cGxhaW4=' } },
    });
    const hard = field(1, Buffer.concat([field(1, 'pods'), field(2, field(1, '10'))]));
    const quota = Buffer.concat([field(1, field(1, 'q')), field(2, hard)]);
    expect(readProtobuf(envelope('ResourceQuota', quota))).toMatchObject({
      value: { spec: { hard: { pods: '10' } } },
    });
  });

  it('passes over fields that it does not know', () => {
    const numbers = Buffer.concat([
      Buffer.from([7 * 8]),
      varint(300),
      Buffer.from([9 * 8 + 1]),
      Buffer.alloc(8),
    ]);
    const metadata = Buffer.concat([numbers, field(15, 'unknown'), field(1, 'n')]);
    expect(readProtobuf(envelope('Namespace', field(1, metadata)))).toMatchObject({
      value: { kind: 'Namespace', metadata: { name: 'n' } },
    });
  });

  it('refuses what is cut short at any place', () => {
    const whole = envelope('Namespace', field(1, field(1, 'some-name')));
    for (let length = 0; length < whole.length; length += 1) {
      const result = readProtobuf(whole.subarray(0, length));
      expect(result.ok).toBe(false);
    }
  });

  it.each([
    { name: 'JSON', body: Buffer.from('{}') },
    { name: 'a kind that is not read', body: envelope('Pod', Buffer.alloc(0)) },
    { name: 'a kind by the name of a built-in property', body: envelope('constructor', Buffer.alloc(0)) },
  ])('refuses $name', ({ body }) => {
    expect(readProtobuf(body)).toMatchObject({ ok: false });
  });
});
