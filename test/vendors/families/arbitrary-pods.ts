/** Random pods that ask for cards of any families in amounts that people write, most of which can be served. */
import fc from 'fast-check';
import type { ContainerRole } from '../../../src/model/container-role.ts';
import type { ContainerObjectFields, PodFields } from '../../support/kubernetes-objects.ts';
import { type Chip, type Family, type FamilyNode, chipKeys, nodeWith } from './arbitrary-nodes.ts';

type Texts = Readonly<Record<string, string>>;

/** Amounts by resource name; the empty text leaves one out. */
function asks(amounts: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Texts> {
  const written = Object.fromEntries(
    Object.entries(amounts).map(([name, values]) => [name, fc.constantFrom(...values)]),
  );
  return fc
    .record(written)
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, amount]) => amount !== '')));
}

/** What one container asks of one family, by family. */
export function familyAsks(chip: Chip): Readonly<Record<Family, fc.Arbitrary<Texts>>> {
  return {
    nvidia: asks({
      'nvidia.com/gpu': ['1', '1', '2'],
      'nvidia.com/gpumem': ['', '1000', '4k', '8192'],
      'nvidia.com/gpucores': ['', '10', '50', '100'],
    }),
    hygon: asks({
      'hygon.com/dcunum': ['1', '1', '2'],
      'hygon.com/dcumem': ['', '1000', '8k'],
      'hygon.com/dcucores': ['', '10', '60', '130'],
    }),
    cambricon: asks({
      'cambricon.com/vmlu': ['1'],
      'cambricon.com/mlu.smlu.vmemory': ['4', '20', '96'],
      'cambricon.com/mlu.smlu.vcore': ['', '10', '50', '250'],
    }),
    metaxGpu: asks({ 'metax-tech.com/gpu': ['1', '1', '2'] }),
    metaxSgpu: asks({
      'metax-tech.com/sgpu': ['1', '1', '1', '2'],
      'metax-tech.com/vmemory': ['', '4', '2048Mi', '4G'],
      'metax-tech.com/vcore': ['', '30', '60', '100'],
    }),
    amd: asks({
      'amd.com/gpu': ['1', '1', '2'],
      'amd.com/gpumem': ['', '1000', '8k'],
      'amd.com/gpucores': ['', '1', '33', '50'],
    }),
    ascend: asks({
      [`huawei.com/${chip}`]: ['1', '1', '1', '2', '4'],
      [`huawei.com/${chip}-memory`]: ['', '3000', '10000', '16384', '2k'],
      [`huawei.com/${chip}-core`]: ['', '', '', '', '', '30', '100'],
    }),
  };
}

/** Each word of the families, now and then one that nobody knows. */
export const podAnnotations: fc.Arbitrary<Texts> = fc
  .record({
    'huawei.com/vnpu-mode': fc.constantFrom('', '', 'hami-core', 'vnpu'),
    'metax-tech.com/sgpu-qos-policy': fc.constantFrom('', '', 'best-effort', 'fixed-share', 'burst-share'),
    'metax-tech.com/sgpu-app-class': fc.constantFrom('', '', '', 'online', 'offline'),
    'metax-tech.com/sgpu-topology-aware': fc.constantFrom('', '', 'true', 'maybe'),
    'hami.io/gpu-scheduler-policy': fc.constantFrom('', '', 'binpack', 'spread', 'mutex', 'topology-aware'),
    'hami.io/node-scheduler-policy': fc.constantFrom('', 'binpack', 'spread'),
    'nvidia.com/numa-bind': fc.constantFrom('', '', '', 'true'),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, word]) => word !== '')));

const role = fc.constantFrom<ContainerRole>('app', 'app', 'app', 'app', 'init', 'sidecar');

/** Containers of these families, most of one alone, because few go together. */
function containersOf(
  families: readonly Family[],
  chip: Chip,
): fc.Arbitrary<readonly ContainerObjectFields[]> {
  const all = familyAsks(chip);
  const most = Math.min(2, families.length);
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.subarray([...families], { minLength: 1, maxLength: 1 }) },
      { weight: 3, arbitrary: fc.subarray([...families], { minLength: most, maxLength: most }) },
    )
    .chain((chosen) => {
      const ask = fc.oneof(...chosen.map((family) => all[family]));
      const limits = fc.oneof(
        { weight: 1, arbitrary: fc.constant({}) },
        { weight: 5, arbitrary: ask },
        { weight: 1, arbitrary: fc.tuple(ask, ask).map(([a, b]) => ({ ...a, ...b })) },
      );
      const container = fc.record({ role, limits });
      // Several plugins serve one container of a pod.
      return fc.oneof(
        fc.array(container, { minLength: 1, maxLength: 1 }),
        fc.array(container, { minLength: 1, maxLength: 3 }),
      );
    })
    .map((several) => [...several, ...(several.some((one) => one.role === 'app') ? [] : [{ limits: {} }])]);
}

export interface ScenePod extends PodFields {
  /** It came past admission, as where the webhook did not answer. */
  readonly unseen: boolean;
}

export interface Scene {
  readonly where: FamilyNode;
  /** Each with a name of its own. */
  readonly pods: readonly ScenePod[];
}

/** Those whose chips belong together in ways of their own come oftener. */
const chip = fc.constantFrom(...chipKeys, 'Ascend910B3', 'Ascend910C');
export const families = Object.keys(familyAsks('Ascend910B3')) as readonly Family[];

/**
 * A node with cards of some families, and up to so many pods that ask for them.
 *
 * @param family one that is there always, with another at most
 */
export function arbitraryScene(most: number, family?: Family): fc.Arbitrary<Scene> {
  const chosen: fc.Arbitrary<readonly Family[]> =
    family === undefined
      ? fc.subarray([...families], { minLength: 1, maxLength: 4 })
      : fc
          .constantFrom(...families)
          .map((other) => (other < family ? [family] : [...new Set([family, other])]));
  return fc
    .tuple(chosen, chip)
    .chain(([present, kind]) => {
      const pod = fc.record({
        containers: containersOf(present, kind),
        annotations: podAnnotations,
        unseen: fc.constantFrom(false, false, false, true),
      });
      const pods = fc.array(pod, { minLength: 1, maxLength: most, size: 'max' });
      return fc.record({ where: nodeWith(present, kind), pods });
    })
    .map(({ where, pods }) => ({
      where,
      pods: pods.map((pod, index) => ({ ...pod, name: `pod-${index}` })),
    }));
}
