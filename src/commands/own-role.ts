/**
 * The role of this server among its replicas, and the pod labels that tell it (spec §9.5). Without leader election it
 * always leads and labels its own pod alone. Followers answer filter, admission and metrics like the leader does; that
 * only one binds is seen to by kube-scheduler, which asks the server in its own pod.
 */
import type { TesseraConfig } from '../config/config.ts';
import { Leadership, type LeadershipOptions, type Role } from '../kubernetes/leadership.ts';
import { RoleLabels } from '../kubernetes/role-label.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';

export interface OwnRoleOptions extends Omit<LeadershipOptions, 'lease' | 'onRole'> {
  readonly config: Pick<TesseraConfig, 'leaderElection' | 'schedulerNames'>;
  /** Our own. */
  readonly namespace: string;
  /** Where there is none, nothing is labelled. */
  readonly ownPod?: NamespacedName;
}

export interface OwnRole {
  /** Undefined until it is known. */
  readonly role: Role | undefined;
  start(): void;
  /** Ends all requests; role and labels stay as they are. May be called twice. */
  stop(): Promise<void>;
}

export function ownRole({ config, namespace, ownPod, ...parts }: OwnRoleOptions): OwnRole {
  const { enabled, resourceName, resourceNamespace } = config.leaderElection;
  const labels =
    ownPod === undefined ? undefined : new RoleLabels({ ...parts, ownPod, labelsOthers: enabled });
  const stopLabels = async () => labels?.stop();
  if (!enabled) return { role: 'leader', start: () => labels?.say('leader'), stop: stopLabels };
  const leadership = new Leadership({
    ...parts,
    lease: {
      namespace: resourceNamespace === '' ? namespace : resourceNamespace,
      name: resourceName === '' ? (config.schedulerNames[0] ?? '') : resourceName,
    },
    onRole: (role) => {
      labels?.say(role);
    },
  });
  return {
    get role() {
      return leadership.role;
    },
    start: () => {
      leadership.start();
    },
    stop: async () => {
      await leadership.stop();
      await stopLabels();
    },
  };
}
