/**
 * Whether what the nodes handed out is what the API server says of each pod: the allocation stays on a pod for good, and
 * every plugin beside NVIDIA's must have read just that. NVIDIA's plugins of several versions have tests of their own.
 */
import type { AllocationRecord } from '../../../src/emulator/node-agent/allocation-book.ts';
import { families } from './family-words.ts';
import type { Change } from './history.ts';
import type { PodState } from './pods.ts';

interface WrittenShare {
  readonly id: string;
  readonly memoryMiB: number;
  readonly cores: number;
}

type GivenRecord = Pick<AllocationRecord, 'podUid' | 'podName' | 'container' | 'shares'>;

/** Every container that was handed something else than its pod has written down, a sentence each. */
export function findMisgiven(changes: readonly Change[], records: readonly GivenRecord[]): readonly string[] {
  const pods = new Map(
    changes.flatMap((change) => (change.kind === 'pod' ? [[change.pod.metadata.uid, change.pod]] : [])),
  );
  return records.flatMap((record) => {
    const family = families.find(({ vendor }) => vendor === record.shares[0]?.vendor);
    if (family?.vendor === 'NVIDIA') return [];
    const pod = pods.get(record.podUid);
    const written = pod === undefined ? [] : writtenFor(pod, record.container, family?.allocated ?? '');
    const given = record.shares.map((share) => textOf(share.vendor, share.deviceId, share));
    const wanted = written.map((share) => textOf(family?.vendor ?? '', share.id, share));
    if (given.length > 0 && given.join() === wanted.join()) return [];
    return [
      `${record.podName}, container ${record.container}, was given ${given.join()}, not ${wanted.join()}`,
    ];
  });
}

/** Of a value such as `;a,DCU,8000,30:;`. */
function writtenFor({ metadata, spec }: PodState, container: string, key: string): readonly WrittenShare[] {
  const index = [...(spec.initContainers ?? []), ...spec.containers].findIndex(
    ({ name }) => name === container,
  );
  const entry = (metadata.annotations?.[key] ?? '').split(';')[index] ?? '';
  return entry
    .split(':')
    .slice(0, -1)
    .map((share) => {
      const [id = '', , memory, cores] = share.split(',');
      return { id, memoryMiB: Number(memory), cores: Number(cores) };
    });
}

/**
 * What both must say. The schedulers' names of some cards are not the plugins' own: MLUs are made out by their slots in
 * a profile, and MetaX's whole cards are picked by kubelet. The cores of an Ascend template are not written down.
 */
function textOf(
  vendor: string,
  id: string,
  share: { readonly memoryMiB: number; readonly cores?: number; readonly corePercent?: number },
): string {
  const name = vendor === 'MLU' || vendor === 'Metax-GPU' ? vendor : id;
  const cores = vendor.startsWith('Ascend') ? '' : ` ${share.cores ?? share.corePercent ?? 0}`;
  return `${name} ${share.memoryMiB}${cores}`;
}
