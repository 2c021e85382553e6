/** Of a node that a write or a read answers, only what commits change is made an object of: nodes are large. */
import { type Parsed, parsed } from '../model/result.ts';
import { fenceAnnotation, type NodeLockProtocol } from '../vendors/node-lock.ts';
import { schemaParser } from '../wire/validate.ts';
import type { NodeTrace } from './node-watch.ts';
import { type Shape, shapeOf } from './skim.ts';

interface RawTrace {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
}

export class NodeTraces {
  readonly shape: Shape;
  readonly #read: (body: unknown) => Parsed<RawTrace>;

  /** @param protocols of all locks that are looked at */
  constructor(protocols: readonly NodeLockProtocol[]) {
    const schema = traceSchema([
      ...protocols.flatMap(({ annotation, ownerAnnotation }) =>
        ownerAnnotation === undefined ? [annotation] : [annotation, ownerAnnotation],
      ),
      fenceAnnotation,
    ]);
    this.shape = shapeOf(schema);
    this.#read = schemaParser<RawTrace>(schema);
  }

  /** Never throws. */
  parse(body: unknown): Parsed<NodeTrace> {
    const raw = this.#read(body);
    if (!raw.ok) return raw;
    const { name, resourceVersion, annotations } = raw.value.metadata;
    return parsed({ name, resourceVersion, annotations: annotations ?? {} });
  }
}

function traceSchema(annotations: readonly string[]) {
  const text = { type: 'string' };
  return {
    type: 'object',
    required: ['metadata'],
    properties: {
      metadata: {
        type: 'object',
        required: ['name', 'resourceVersion'],
        properties: {
          name: text,
          resourceVersion: { type: 'string', minLength: 1 },
          annotations: {
            type: 'object',
            nullable: true,
            properties: Object.fromEntries(annotations.map((annotation) => [annotation, text])),
          },
        },
      },
    },
  };
}
