/** What a kind adds to the common ways of reading and writing objects. Rules are pure; each may be left out. */
import type { Parsed } from '../../model/result.ts';
import type { ApiObject } from './api-object.ts';
import type { FieldFault } from './status.ts';

export interface ResourceRules {
  /** Defaults and canonical spellings, for every object that comes in, and again after webhooks. */
  decode?(object: ApiObject): Parsed<ApiObject>;
  /** What the server sets or takes away on creation, after webhooks. */
  create?(object: ApiObject): ApiObject;
  /** What an update through the main resource cannot change. */
  update?(next: ApiObject, current: ApiObject): ApiObject;
  /** What is not allowed; `current` is absent on creation. */
  faults?(object: ApiObject, current?: ApiObject): readonly FieldFault[];
}
