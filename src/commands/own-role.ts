/**
 * The role of this server among its replicas, the name of its term, and the pod labels that tell the role (spec §9.5).
 * Followers answer filter, prioritize, admission and questions like the leader does; only the leader commits. Who leads
 * is told by the lease of the kube-scheduler in the same pod, or by one that the servers campaign for themselves.
 * Without leader election the server always leads, in one term, and labels its own pod alone.
 */
import type { TesseraConfig } from '../config/config.ts';
import { type Election, Leadership, type LeadershipOptions } from '../kubernetes/leadership.ts';
import { LeaseElection } from '../kubernetes/lease-election.ts';
import { RoleLabels } from '../kubernetes/role-label.ts';
import { makeTerm } from '../kubernetes/term.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';

export interface OwnRoleOptions extends Omit<LeadershipOptions, 'lease' | 'onRole'> {
  readonly config: Pick<TesseraConfig, 'leaderElection' | 'schedulerNames'>;
  /** Our own. */
  readonly namespace: string;
  /** Where there is none, nothing is labelled. */
  readonly ownPod?: NamespacedName;
}

/** `stop` ends the term at once, gives up a lease of our own, and takes the leader's label back. */
export type OwnRole = Election;

export function ownRole({ config, namespace, ownPod, ...parts }: OwnRoleOptions): OwnRole {
  const { enabled } = config.leaderElection;
  const labels =
    ownPod === undefined ? undefined : new RoleLabels({ ...parts, ownPod, labelsOthers: enabled });
  if (!enabled) return onlyLeader(parts, labels);
  const shared = {
    ...parts,
    lease: leaseOf(config, namespace),
    onRole: (role: 'leader' | 'follower') => {
      labels?.say(role);
    },
  };
  const election =
    config.leaderElection.mode === 'campaign'
      ? new LeaseElection({ ...shared, identity: `${parts.hostname}_${parts.newTermId()}` })
      : new Leadership(shared);
  return {
    get role() {
      return election.role;
    },
    get term() {
      return election.term;
    },
    get leader() {
      return election.leader;
    },
    start: () => {
      election.start();
    },
    stop: async () => {
      // Whoever leads next labels us as well; until then a Service would send its callers to nobody.
      await Promise.all([election.stop(), labels?.stop('follower')]);
    },
  };
}

/**
 * The lease that says who leads, where there is an election: the one of kube-scheduler, or one beside it, for no server
 * may keep kube-scheduler from its own.
 */
export function leaseOf(config: OwnRoleOptions['config'], namespace: string): NamespacedName {
  const { mode, resourceName, resourceNamespace } = config.leaderElection;
  const [scheduler = ''] = config.schedulerNames;
  return {
    namespace: resourceNamespace === '' ? namespace : resourceNamespace,
    name: resourceName !== '' ? resourceName : mode === 'campaign' ? `${scheduler}-extender` : scheduler,
  };
}

function onlyLeader(
  { hostname, newTermId }: Pick<OwnRoleOptions, 'hostname' | 'newTermId'>,
  labels: RoleLabels | undefined,
): OwnRole {
  const term = makeTerm({ holder: hostname, transitions: 0, id: newTermId() });
  return {
    role: 'leader',
    term,
    leader: hostname,
    start: () => labels?.say('leader'),
    stop: async () => labels?.stop(),
  };
}
