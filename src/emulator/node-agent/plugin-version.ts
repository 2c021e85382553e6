/**
 * In what the device plugins of different ages differ, as far as a scheduler can notice (spec §1.2, §1.3, §2.5, §7.3,
 * Appendix A). One row per age; nothing else asks for a version.
 */
export type PluginVersion = '2.7' | '2.8' | '2.9' | '2.10';

export interface PluginTraits {
  /** How it publishes its devices. */
  readonly register: 'csv' | 'json-with-pair-score' | 'json-with-mig-profiles';
  /** It puts the vendor's word before every product name, even before one that begins with it. */
  readonly alwaysPrefixesType: boolean;
  /** It says every 30 s that it lives, and publishes its devices anew each time. */
  readonly writesHandshake: boolean;
  /** Which containers the entries of an allocation stand for; an older one dies of an entry beyond its containers. */
  readonly entriesOf: 'app-containers' | 'all-containers';
  /** The bind phases of pods that it takes for waiting when no lock names one. */
  readonly waitingPhases: readonly string[];
  /** It makes the MIG instances that the scheduler has reserved. */
  readonly makesReservedInstances: boolean;
}

const traits: Readonly<Record<PluginVersion, PluginTraits>> = {
  '2.7': {
    register: 'csv',
    alwaysPrefixesType: true,
    writesHandshake: true,
    entriesOf: 'app-containers',
    waitingPhases: ['allocating'],
    makesReservedInstances: false,
  },
  '2.8': {
    register: 'json-with-pair-score',
    alwaysPrefixesType: false,
    writesHandshake: false,
    entriesOf: 'app-containers',
    waitingPhases: ['allocating'],
    makesReservedInstances: false,
  },
  '2.9': {
    register: 'json-with-pair-score',
    alwaysPrefixesType: false,
    writesHandshake: false,
    entriesOf: 'all-containers',
    waitingPhases: ['allocating', 'success'],
    makesReservedInstances: false,
  },
  '2.10': {
    register: 'json-with-mig-profiles',
    alwaysPrefixesType: false,
    writesHandshake: false,
    entriesOf: 'all-containers',
    waitingPhases: ['allocating', 'success'],
    makesReservedInstances: true,
  },
};

export const newestPlugin: PluginVersion = '2.10';

export function traitsOf(version: PluginVersion = newestPlugin): PluginTraits {
  return traits[version];
}
