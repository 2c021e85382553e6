/** Shows the device-state cache in the metrics that mirror it, at the moment they are read. */
import type { DeviceState } from '../state/device-state.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export function mirrorState(state: DeviceState, metrics: Metrics): void {
  metrics.onRender(() => {
    metrics.synced.set(state.synced ? 1 : 0);
    metrics.nodesClosed.set(state.closedNodes);
    mirrorLedger(state, metrics);
    mirrorNodes(state, metrics);
  });
}

function mirrorLedger(state: DeviceState, metrics: Metrics): void {
  const counts = { assumed: 0, bound: 0, draining: 0 };
  let foreign = 0;
  for (const entry of state.entries()) {
    if (entry.request.counts.size === 0) continue;
    counts[entry.state] += 1;
    if (entry.derivedFrom?.trust === 'at-least-request') foreign += 1;
  }
  metrics.ledgerForeign.set(foreign);
  for (const [phase, count] of Object.entries(counts)) metrics.ledgerEntries.set({ state: phase }, count);
}

function mirrorNodes(state: DeviceState, metrics: Metrics): void {
  const nodes = { offering: 0, unavailable: 0, other: 0 };
  metrics.devices.reset();
  for (const name of state.nodeNames()) {
    const view = state.view(name);
    if (view === undefined) continue;
    nodes[view.devices.length > 0 ? 'offering' : view.unavailable.size > 0 ? 'unavailable' : 'other'] += 1;
    for (const { device, used, withheld } of view.devices) {
      const condition = !device.healthy
        ? 'unhealthy'
        : withheld
          ? 'withheld'
          : used.slots > 0
            ? 'shared'
            : 'idle';
      metrics.devices.inc({ vendor: device.vendor, state: condition });
    }
  }
  for (const [condition, count] of Object.entries(nodes)) metrics.nodes.set({ state: condition }, count);
}
