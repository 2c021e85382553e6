/**
 * The versions of HAMi whose plugin and scheduler may have been at work in a cluster before us, with what they write
 * (spec §1.2, §1.3, §1.9, Appendix A). The node is always the same: two A100 cards, the second on NUMA node 1.
 */
import { makeDevice } from '../support/views.ts';
import type { Device } from '../../src/model/device.ts';

export interface Version {
  readonly name: string;
  readonly register: string;
  /** The type of the cards as the register has it. */
  readonly type: string;
  /** What else the plugin and the scheduler leave on the node. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Which containers have an entry in an allocation of its scheduler. */
  readonly entries: 'apps' | 'all' | 'all but empty ones';
  /** Which entries its plugin needs in an allocation of ours. */
  readonly wantEntries: 'apps' | 'all';
}

const product = 'NVIDIA A100-SXM4-40GB';
/** Plugins up to v2.7 prefix the vendor's name to a product's that has it already. */
const doubled = `NVIDIA-${product}`;

const handshake = 'hami.io/node-handshake';
const reported = { [handshake]: 'Reported 2026-01-01 04:30:04.434037031 +0000 UTC m=+1104711.77' };
const requesting = { [handshake]: 'Requesting_2026-01-01 04:30:04' };
const requestingWithDots = { [handshake]: 'Requesting_2026.01.01 04:30:04' };
const deleted = { [handshake]: 'Deleted_2026-01-01 04:30:04' };

const sevenFields = [
  `GPU-a,10,40960,100,${doubled},0,true:`,
  // Without an index the order of ids decides.
  `GPU-b,10,40960,100,${doubled},1,true:`,
].join('');
const nineFields = [
  `GPU-a,10,40960,100,${doubled},0,true,0,hami-core:`,
  `GPU-b,10,40960,100,${doubled},1,true,1,hami-core:`,
].join('');

function jsonRegister(more: object): string {
  const card = { count: 10, devmem: 40_960, devcore: 100, type: product };
  return JSON.stringify([
    // Zeros are left out, and the order is that of a Go map.
    { id: 'GPU-b', index: 1, ...card, numa: 1, mode: 'hami-core', health: true, ...more },
    { id: 'GPU-a', ...card, mode: 'hami-core', health: true, ...more },
  ]);
}

const csv = { type: doubled, entries: 'apps', wantEntries: 'apps' } as const;
const json = { type: product } as const;
const paired = jsonRegister({ devicepairscore: {} });

export const versions: readonly Version[] = [
  { name: 'v2.4', register: sevenFields, ...csv, annotations: requestingWithDots },
  { name: 'v2.5', register: nineFields, ...csv, annotations: reported },
  { name: 'v2.6', register: nineFields, ...csv, annotations: requesting },
  { name: 'v2.7', register: nineFields, ...csv, annotations: deleted },
  { name: 'v2.8', register: paired, ...json, entries: 'apps', wantEntries: 'apps', annotations: deleted },
  // Its register is that of v2.8, and apps alone are what both understand.
  { name: 'v2.9', register: paired, ...json, entries: 'all', wantEntries: 'apps', annotations: requesting },
  {
    name: 'v2.10',
    register: jsonRegister({}),
    ...json,
    entries: 'all but empty ones',
    wantEntries: 'all',
    annotations: {},
  },
];

/** The cards of the node, as they must come out. */
export function wantedDevices({ type, register }: Version): readonly Device[] {
  const card = { type, memoryMiB: 40_960 };
  return [
    makeDevice({ ...card, id: 'GPU-a', index: 0 }),
    makeDevice({ ...card, id: 'GPU-b', index: register === sevenFields ? 0 : 1, numa: 1 }),
  ];
}

/** What a container was given: one entry's text, empty for none, and whether it is an init container. */
export interface Entry {
  readonly text: string;
  readonly init?: boolean;
}

/** The allocation as the version's scheduler writes it. */
export function allocationOf({ entries }: Version, containers: readonly Entry[]): string {
  const kept = containers.filter(({ text, init = false }) => {
    switch (entries) {
      case 'apps':
        return !init;
      case 'all':
        return true;
      case 'all but empty ones':
        return text !== '';
    }
  });
  return kept.map(({ text }) => `${text};`).join('');
}
