/** What the settings of the benchmarks mean; one meaning for one name, whatever the benchmark. */

export const settingDescriptions: Readonly<Record<string, string>> = {
  nodes: 'nodes of the cluster; several numbers are several clusters',
  cards: 'cards on every node',
  fill: 'how much of the memory of all cards is held before, from 0 to 1',
  pods: 'pods that run before; for throughput, those that are created',
  names: 'node names in a filter call; several numbers are measured one after the other',
  calls: 'pods, or calls, that are measured',
  warmup: 'the same before anything is measured',
  connections: 'calls that are under way at once',
  pending: 'pods that wait and fit nowhere',
  perSecond: 'binds, or pod events, per second',
  percentageOfNodesToScore: "kube-scheduler's setting of that name; 0 leaves it to kube-scheduler",
  burstNodes: 'nodes that get many pods at once',
  burstPods: 'pods that come at once; 0 for no burst',
  fragmentation: '1: the server has `nodePolicy: fragmentation`; 0: its default',
  seconds: 'how long it goes on, in seconds',
};
