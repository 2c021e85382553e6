/**
 * One way to check what enters from outside: a JSON Schema compiled once, an answer that is the typed value or a
 * sentence naming each fault and its place.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type Parsed, parsed, unparsable } from '../model/result.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

const faultsNamed = 3;

/** A validator for `schema`; `T` is the caller's claim of what the schema admits. */
export function schemaParser<T>(schema: JsonSchema): (value: unknown) => Parsed<T> {
  // Not allErrors: a hostile body must not make us list a fault per element.
  const validate = compile<T>(new Ajv({ strict: true, allowUnionTypes: true }), schema);
  return (value) => (validate(value) ? parsed(value) : unparsable(faultText(validate.errors ?? [])));
}

/** As `schemaParser`, for our own files: every fault at once, defaults filled in on a copy. */
export function schemaParserWithDefaults<T>(schema: JsonSchema): (value: unknown) => Parsed<T> {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, useDefaults: true });
  const validate = compile<T>(ajv, schema);
  return (value) => {
    const copy: unknown = structuredClone(value);
    return validate(copy) ? parsed(copy) : unparsable(faultText(validate.errors ?? [], Infinity));
  };
}

function compile<T>(ajv: Ajv, schema: JsonSchema): ValidateFunction<T> {
  return ajv.compile<T>(schema);
}

function faultText(errors: readonly ErrorObject[], most = faultsNamed): string {
  const named = errors.slice(0, most).map((error) => `${placeOf(error)}: ${sentenceOf(error)}`);
  if (errors.length > most) named.push(`and ${errors.length - most} more`);
  return named.join('; ');
}

function placeOf(error: ErrorObject): string {
  return error.instancePath === ''
    ? 'document'
    : error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}

function sentenceOf(error: ErrorObject): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === 'additionalProperties')
    return `unknown key "${String(params['additionalProperty'])}"`;
  if (error.keyword === 'enum') return `must be one of ${(params['allowedValues'] as string[]).join(', ')}`;
  return error.message ?? error.keyword;
}
