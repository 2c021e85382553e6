/**
 * The Kubernetes effective-request rule: init containers run one after another, sidecars (init containers with
 * `restartPolicy: Always`) keep running beside everything that starts after them, app containers run together.
 * Source: KEP-753, "Resources calculation for scheduling and pod admission".
 */
export type ContainerRole = 'init' | 'sidecar' | 'app';

/**
 * The most that a pod holds of one additive amount at any moment of its life.
 *
 * @param roles one per container, init containers first, in spec order
 * @param amountOf the amount that the container at an index asks for or was given
 */
export function effectiveAmount(
  roles: readonly ContainerRole[],
  amountOf: (containerIndex: number) => number,
): number {
  let sidecars = 0;
  let initPeak = 0;
  let apps = 0;
  for (const [index, role] of roles.entries()) {
    const amount = amountOf(index);
    switch (role) {
      case 'sidecar':
        sidecars += amount;
        break;
      case 'init':
        initPeak = Math.max(initPeak, sidecars + amount);
        break;
      case 'app':
        apps += amount;
        break;
    }
  }
  return Math.max(initPeak, sidecars + apps);
}
