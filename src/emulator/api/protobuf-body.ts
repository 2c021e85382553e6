/**
 * Kubernetes' protobuf encoding of a few kinds, read only: `kubectl create namespace`, `configmap`, `secret` and
 * `quota` send nothing else. Field numbers are those of k8s.io/api v0.36 (`generated.proto`); fields that are not
 * listed are skipped. The first bytes and the envelope are from k8s.io/apimachinery `runtime/serializer/protobuf`.
 */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { JsonRecord } from './json.ts';

type Reader = (bytes: Buffer) => unknown;

type Field =
  | { readonly name: string; readonly form: 'single' | 'list'; readonly read: Reader }
  /** Entries of key and value; the key is a string. */
  | { readonly name: string; readonly form: 'map'; readonly read: Reader };

type Message = ReadonlyMap<number, Field>;

const text: Reader = (bytes) => bytes.toString('utf8');
const base64: Reader = (bytes) => bytes.toString('base64');

function single(name: string, read: Reader): Field {
  return { name, form: 'single', read };
}

function map(name: string, read: Reader): Field {
  return { name, form: 'map', read };
}

function message(...fields: readonly (readonly [number, Field])[]): Reader {
  const byNumber: Message = new Map(fields);
  return (bytes) => readMessage(bytes, byNumber);
}

const objectMeta = message(
  [1, single('name', text)],
  [2, single('generateName', text)],
  [3, single('namespace', text)],
  [5, single('uid', text)],
  [6, single('resourceVersion', text)],
  [11, map('labels', text)],
  [12, map('annotations', text)],
);

/** A quantity is a message of one string. */
const quantity: Reader = (bytes) => {
  const fields = readMessage(bytes, new Map([[1, single('value', text)]]));
  return fields['value'] ?? '';
};

const quotaSpec = message([1, map('hard', quantity)], [2, { name: 'scopes', form: 'list', read: text }]);

const kinds: Readonly<Record<string, Reader>> = {
  Namespace: message([1, single('metadata', objectMeta)]),
  ConfigMap: message(
    [1, single('metadata', objectMeta)],
    [2, map('data', text)],
    [3, map('binaryData', base64)],
  ),
  Secret: message(
    [1, single('metadata', objectMeta)],
    [2, map('data', base64)],
    [3, single('type', text)],
    [4, map('stringData', text)],
  ),
  ResourceQuota: message([1, single('metadata', objectMeta)], [2, single('spec', quotaSpec)]),
};

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

const envelope: Message = new Map([
  [1, single('typeMeta', message([1, single('apiVersion', text)], [2, single('kind', text)]))],
  [2, single('raw', (bytes) => bytes)],
]);

/** The object as it would be in JSON. Refuses other kinds, and bytes that are not protobuf. */
export function readProtobuf(body: Buffer): Parsed<JsonRecord> {
  if (!body.subarray(0, magic.length).equals(magic)) return unparsable('the body is not protobuf');
  try {
    const { typeMeta, raw } = readMessage(body.subarray(magic.length), envelope) as {
      readonly typeMeta?: { readonly apiVersion?: string; readonly kind?: string };
      readonly raw?: Buffer;
    };
    const kind = typeMeta?.kind ?? '';
    const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (read === undefined || raw === undefined) return unparsable(`protobuf is not read for ${kind}`);
    return parsed({ ...typeMeta, ...(read(raw) as JsonRecord) });
  } catch (error) {
    if (error instanceof CutShort) return unparsable('the body is cut short');
    throw error;
  }
}

class CutShort extends Error {}

interface WireField {
  readonly number: number;
  readonly bytes: Buffer;
}

const lengthDelimited = 2;

function readMessage(bytes: Buffer, fields: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { number, bytes: value } of wireFields(bytes)) {
    const field = fields.get(number);
    if (field === undefined) continue;
    switch (field.form) {
      case 'single':
        result[field.name] = field.read(value);
        break;
      case 'list':
        result[field.name] = [...((result[field.name] ?? []) as readonly unknown[]), field.read(value)];
        break;
      case 'map':
        result[field.name] = { ...(result[field.name] ?? {}), ...readEntry(value, field.read) };
        break;
    }
  }
  return result;
}

function readEntry(bytes: Buffer, read: Reader): JsonRecord {
  const parts = [...wireFields(bytes)];
  const key = parts.find(({ number }) => number === 1)?.bytes ?? Buffer.alloc(0);
  const value = parts.find(({ number }) => number === 2)?.bytes ?? Buffer.alloc(0);
  return Object.fromEntries([[key.toString('utf8'), read(value)]]);
}

/** The length-delimited fields of a message; numbers are passed over. Throws CutShort. */
function* wireFields(bytes: Buffer): Generator<WireField> {
  let position = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[position];
      if (byte === undefined) throw new CutShort();
      position += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (position < bytes.length) {
    const tag = varint();
    const form = tag % 8;
    if (form === 0) {
      varint();
    } else if (form === lengthDelimited) {
      const length = varint();
      if (position + length > bytes.length) throw new CutShort();
      yield { number: Math.floor(tag / 8), bytes: bytes.subarray(position, position + length) };
      position += length;
    } else {
      position += form === 1 ? 8 : 4;
    }
  }
}
