/**
 * What a container really gets of Huawei's cards (vendors §2.8), which is what the annotation for the plugin says and
 * not what the scheduler reckons with: the memory and AI cores of a template, a whole card where no template is named,
 * the quota of the container's first card in hami-core.
 */
import type { Share } from '../../../model/allocation.ts';
import type { TextMap } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';
import type { Clash } from '../sharing-faults.ts';
import type { ChipFacts } from './ascend-chips.ts';
import type { RuntimeInfo } from './ascend-runtime-info.ts';

interface Container {
  readonly chip: ChipFacts;
  /** One per entry of the allocation. */
  readonly cards: readonly Device[];
  readonly written: readonly Share[];
  readonly infos: ReadonlyMap<string, RuntimeInfo>;
  /** The pod's mode is hami-core. */
  readonly isSoft: boolean;
}

export interface HandedOut {
  readonly shares: readonly Share[];
  readonly env: TextMap;
  readonly clash: Clash;
  readonly oddities: readonly string[];
}

/** Refuses a template that the chip does not have. */
export function handedOut(container: Container): Parsed<HandedOut> {
  const { cards, infos, isSoft } = container;
  const own = cards.flatMap(({ id }) => infos.get(id) ?? []);
  const part = isSoft ? parsed(quotaOf(own)) : templateOf(own, container.chip);
  if (!part.ok) return part;
  const { env, amountOf } = part.value;
  const shares = cards.map(({ id, vendor, ...card }) => ({
    vendor,
    deviceId: id,
    kind: isSoft ? 'hami-core' : 'hard split',
    ...amountOf(card),
  }));
  return parsed({ shares, env, clash, oddities: odditiesOf(container, shares) });
}

/** The driver does not put both on one card. */
const clash: Clash = (kind, other) => (kind === other ? undefined : `${kind} beside ${other}`);

interface Part {
  readonly env: TextMap;
  readonly amountOf: (card: Omit<Device, 'id' | 'vendor'>) => Pick<Share, 'memoryMiB' | 'corePercent'>;
}

function quotaOf(infos: readonly RuntimeInfo[]): Part {
  const memoryMiB = infos.find((info) => info.memoryMiB !== undefined)?.memoryMiB;
  const cores = infos.find((info) => info.cores !== undefined)?.cores;
  return {
    env: {
      ...(memoryMiB === undefined ? {} : { NPU_MEM_QUOTA: String(memoryMiB) }),
      ...(cores === undefined ? {} : { NPU_PRIORITY: String(cores) }),
    },
    // Nobody limits a container to which no quota is told.
    amountOf: (card) => ({ memoryMiB: memoryMiB ?? card.memoryMiB, corePercent: cores ?? 0 }),
  };
}

function templateOf(infos: readonly RuntimeInfo[], chip: ChipFacts): Parsed<Part> {
  const name = infos.find((info) => info.template !== undefined)?.template;
  if (name === undefined) {
    return parsed({ env: {}, amountOf: ({ memoryMiB, corePercent }) => ({ memoryMiB, corePercent }) });
  }
  const template = chip.templates.find((known) => known.name === name);
  if (template === undefined) return unparsable(`the chip has no template ${name}`);
  const { memoryMiB, aiCores } = template;
  return parsed({
    env: { ASCEND_VNPU_SPECS: name },
    // In hami-core mode a node counts percent instead of AI cores.
    amountOf: (card) => ({
      memoryMiB,
      corePercent: Math.ceil((aiCores * card.corePercent) / chip.aiCores),
    }),
  });
}

/** Where the two annotations contradict each other. */
function odditiesOf({ written, infos, isSoft }: Container, shares: readonly Share[]): readonly string[] {
  return written.flatMap(({ deviceId, memoryMiB, corePercent }, position) => {
    if (!infos.has(deviceId)) return [`the plugin was told nothing about card ${deviceId}`];
    const given = shares[position];
    return memoryMiB === given?.memoryMiB && (!isSoft || corePercent === given.corePercent)
      ? []
      : [
          `card ${deviceId} was written down with ${memoryMiB} MiB, ${corePercent} cores and handed out with ${given?.memoryMiB ?? 0} MiB, ${given?.corePercent ?? 0} cores`,
        ];
  });
}
