/** Of a node that a write or a read answers, only what commits change is made an object of: nodes are large. */
import { type Parsed, parsed } from '../model/result.ts';
import { fenceAnnotation, nodeLockAnnotation } from '../vendors/node-lock.ts';
import { schemaParser } from '../wire/validate.ts';
import type { NodeTrace } from './node-watch.ts';
import { shapeOf } from './skim.ts';

interface RawTrace {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
}

const text = { type: 'string' };
const traceSchema = {
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
          properties: { [nodeLockAnnotation]: text, [fenceAnnotation]: text },
        },
      },
    },
  },
};

const readTrace = schemaParser<RawTrace>(traceSchema);

export const nodeTraceShape = shapeOf(traceSchema);

/** Never throws. */
export function parseNodeTrace(body: unknown): Parsed<NodeTrace> {
  const raw = readTrace(body);
  if (!raw.ok) return raw;
  const { name, resourceVersion, annotations } = raw.value.metadata;
  return parsed({ name, resourceVersion, annotations: annotations ?? {} });
}
