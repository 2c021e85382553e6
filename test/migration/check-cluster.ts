/** The migration check over a cluster written in a test, with the configuration that a server would get. */
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import {
  type LookedAtKind,
  lookedAtKinds,
  type RawObject,
  readPicture,
} from '../../src/migration/cluster-picture.ts';
import { type Finding, objectName } from '../../src/migration/finding.ts';
import { checkMigration, type MigrationReport } from '../../src/migration/migration-check.ts';

export const nowMs = Date.parse('2026-08-21T06:20:39Z');

export interface CheckedCluster {
  /** Kubernetes JSON of any kinds that are looked at. */
  readonly objects: readonly object[];
  /** Settings as in a configuration file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly missing?: ReadonlyMap<LookedAtKind, string>;
  readonly deviceConfigWarnings?: readonly string[];
}

export function settingsOf(settings: Readonly<Record<string, unknown>> = {}): TesseraConfig {
  const loaded = loadConfig({ environment: {}, flags: { schedulerNames: ['hami-scheduler'], ...settings } });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}

export function checkCluster(cluster: CheckedCluster): MigrationReport {
  const { objects, settings, missing = new Map(), deviceConfigWarnings = [] } = cluster;
  return checkMigration({
    picture: readPicture({ objects: objects.map(rawObject), missing }),
    config: settingsOf(settings),
    deviceConfigWarnings,
    nowMs,
  });
}

function rawObject(value: object): RawObject {
  const kind = lookedAtKinds.find((known) => known === (value as { readonly kind?: unknown }).kind);
  if (kind === undefined) throw new Error('no kind that is looked at');
  return { kind, value };
}

/** Findings without what follows from their code. */
export function toldOf({ findings }: MigrationReport): readonly (readonly [string, string, string])[] {
  return findings.map(({ code, object, sentence }: Finding) => [code, objectName(object), sentence] as const);
}
