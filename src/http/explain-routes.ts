/** Questions people ask: why a pod waits or where it went, and what the cache believes about every node. */
import { Router } from 'express';
import { compareText } from '../model/device.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { DeviceState } from '../state/device-state.ts';
import { sideOf } from '../state/ledger-audit.ts';

export interface ExplainRouteDeps {
  readonly scheduler: Scheduler;
  readonly state: DeviceState;
  /** Among replicas; where left out, or not known yet, none is told. */
  readonly role?: () => string | undefined;
}

export function explainRoutes({ scheduler, state, role }: ExplainRouteDeps): Router {
  const router = Router();
  router.get('/explain/:namespace/:pod', (request, response) => {
    const { namespace, pod } = request.params;
    const explanation = scheduler.explain({ namespace, name: pod });
    if (explanation === undefined) {
      response.status(404).json({ error: `no pod ${namespace}/${pod} asks for managed devices or is bound` });
    } else response.json(explanation);
  });
  router.get('/debug/state', (_request, response) => {
    response.json({ role: role?.(), ...describeState(state) });
  });
  return router;
}

function describeState(state: DeviceState): object {
  const nodes = [...state.nodeNames()].sort(compareText).map((name) => {
    const view = state.view(name);
    return {
      name,
      generation: view?.generation,
      unavailable: Object.fromEntries(view?.unavailable ?? []),
      countFree: Object.fromEntries(view?.countFree ?? []),
      host: { allocatable: state.node(name)?.hostAllocatable, used: state.node(name)?.hostUsed },
      devices: view?.devices.map(({ device, ...rest }) => ({
        device: { ...device, linkScores: Object.fromEntries(device.linkScores ?? []) },
        ...rest,
      })),
    };
  });
  const entries = [...state.entries()]
    .filter(({ request }) => request.counts.size > 0)
    .map((entry) => ({
      podUid: entry.podUid,
      namespace: entry.namespace,
      name: entry.name,
      node: entry.node,
      state: entry.state,
      allocation: entry.allocation,
      believed: sideOf(entry).believed,
      withheld: Object.fromEntries(entry.load.withheld),
    }))
    .sort((a, b) => compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
  const pending = [...state.pendingPods()]
    .map(({ pod }) => ({ podUid: pod.uid, namespace: pod.namespace, name: pod.name }))
    .sort((a, b) => compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
  const quotas = [...state.quotas()].map(({ namespace, name, hard }) => ({ namespace, name, hard }));
  const quotaUsage = [...state.quotaUsages()].map(({ namespace, key, used, limits }) => ({
    namespace,
    resource: key.resource,
    used,
    limits,
  }));
  return { synced: state.synced, nodes, entries, pending, quotas, quotaUsage };
}
