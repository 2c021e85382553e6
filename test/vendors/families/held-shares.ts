/** What a bound pod holds of one family's cards, read by the letter of the wire format (vendors §1.9). */
import type { PodObject } from '../../../src/model/cluster-objects.ts';
import type { ContainerRole } from '../../../src/model/container-role.ts';
import { podFrom } from '../../../src/wire/kubernetes.ts';
import type { PodJson } from '../../support/kubernetes-objects.ts';

export interface Held {
  readonly pod: PodObject;
  readonly container: number;
  readonly role: ContainerRole;
  readonly card: string;
  readonly word: string;
  readonly memoryMiB: number;
  readonly compute: number;
}

/** By vendor, the pod annotation that says what was given (vendors §0). */
const allocatedBy: Readonly<Record<string, string>> = {
  NVIDIA: 'hami.io/vgpu-devices-allocated',
  MLU: 'hami.io/cambricon-mlu-devices-allocated',
  DCU: 'hami.io/dcu-devices-allocated',
  'Metax-GPU': 'hami.io/metax-gpu-devices-allocated',
  'Metax-SGPU': 'hami.io/metax-sgpu-devices-allocated',
  AMD: 'hami.io/amd-devices-allocated',
};

export function heldOf(raw: PodJson, vendor: string): readonly Held[] {
  const pod = podFrom(raw);
  const written = pod.annotations[allocatedBy[vendor] ?? `hami.io/${vendor}-devices-allocated`];
  if (written === undefined) return [];
  const entries = written.split(';');
  if (entries.pop() !== '') throw new Error(`an entry is not closed in ${written}`);
  if (entries.length !== pod.containers.length)
    throw new Error(`${entries.length} entries in ${written} for ${pod.containers.length} containers`);
  return entries.flatMap((entry, container) => {
    const shares = entry.split(':');
    if (shares.pop() !== '') throw new Error(`a share is not closed in ${written}`);
    return shares.map((share) => {
      const fields = share.split(',');
      const [card = '', word = '', memory = '', compute = ''] = fields;
      if (fields.length !== 4) throw new Error(`${share} has not four fields`);
      const role = pod.containers[container]?.role ?? 'app';
      return { pod, container, role, card, word, memoryMiB: Number(memory), compute: Number(compute) };
    });
  });
}

/** What one pod holds at its worst moment: init containers run one by one beside the sidecars before them. */
export function worstOf(held: readonly Held[], amountOf: (one: Held) => number): number {
  const containers = held.flatMap(({ pod }) => pod.containers.map((_, index) => index));
  const amounts = new Map<number, { role: ContainerRole; amount: number }>();
  for (const one of held) {
    const before = amounts.get(one.container)?.amount ?? 0;
    amounts.set(one.container, { role: one.role, amount: before + amountOf(one) });
  }
  let sidecars = 0;
  let apps = 0;
  let worst = 0;
  for (const index of [...new Set(containers)].sort((a, b) => a - b)) {
    const { role, amount } = amounts.get(index) ?? { role: 'app', amount: 0 };
    if (role === 'sidecar') sidecars += amount;
    if (role === 'app') apps += amount;
    if (role === 'init') worst = Math.max(worst, sidecars + amount);
  }
  return Math.max(worst, sidecars + apps);
}
