/**
 * An object as the API keeps it: everything but `apiVersion` and `kind`, which belong to the group and version that it
 * is read through. Values are shared between the store, its history and answers under way; nobody changes one in place.
 */
import type { JsonRecord } from './json.ts';

export type TextMap = Readonly<Record<string, string>>;

export interface ObjectMeta extends JsonRecord {
  /** Empty until a generated name is chosen. */
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: TextMap;
  readonly annotations?: TextMap;
}

export interface ApiObject extends JsonRecord {
  readonly metadata: ObjectMeta;
}

/** The key under which a collection keeps an object; keys order lists. */
export function keyOf({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function withMeta(object: ApiObject, changes: Partial<ObjectMeta>): ApiObject {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

/** Kubernetes' form of a time: RFC 3339 in UTC, whole seconds. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}
