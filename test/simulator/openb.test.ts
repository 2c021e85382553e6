/** How rows of the openb trace become a cluster, a workload and orders of arrival, and what of them is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../src/model/node-view.ts';
import type { Parsed } from '../../src/model/result.ts';
import { capacityMilli, demandsMilli } from '../../src/simulator/card-shares.ts';
import { drawnOrder } from '../../src/simulator/arrivals.ts';
import { openbCardType, parseOpenbNodes } from '../../src/simulator/openb-nodes.ts';
import { formatOrder, parseOrders } from '../../src/simulator/openb-orders.ts';
import { openbTypesOf, parseOpenbPods } from '../../src/simulator/openb-pods.ts';
import { checkOpenbTypes } from '../../src/simulator/openb-types.ts';
import { readSimulatedPods, type SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { acceptsType } from '../../src/vendors/selection.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';

function valueOf<T>(read: Parsed<T>): T {
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

function viewsOf(text: string): readonly NodeView[] {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  const nodes = valueOf(parseOpenbNodes(text));
  for (const node of nodes) expect(state.applyNode(node)).toEqual([]);
  return nodes.map(({ name }) => state.view(name)!);
}

function podsOf(text: string): readonly SimulatedPod[] {
  const objects = valueOf(parseOpenbPods(text)).map(({ pod }) => pod);
  return readSimulatedPods(objects, nvidiaVendors);
}

const demandsOf = (pods: readonly SimulatedPod[], views: readonly NodeView[]) =>
  demandsMilli(
    pods.map(({ request }) => request),
    views,
  );
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

const nodeHeader = 'sn,cpu_milli,memory_mib,gpu,model';
const podHeader =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';

describe('nodes of the trace', () => {
  it('have cards of 10000 MiB, 100 percent and 100 slots, of the model as their type', () => {
    const [view] = viewsOf(`${nodeHeader}\nnode-1,96000,393216,2,G2\n`);
    const card = { type: 'G2', memoryMiB: 10_000, corePercent: 100, slots: 100, healthy: true };
    expect(view?.devices.map(({ device }) => device)).toMatchObject([
      { ...card, id: 'GPU-node-1-0', index: 0 },
      { ...card, id: 'GPU-node-1-1', index: 1 },
    ]);
    expect(view?.hostFree).toEqual({ cpuMilli: 96_000, memoryMiB: 393_216, pods: 1001 });
    expect(view?.countFree.get('nvidia.com/gpu')).toBe(200);
  });

  it('without cards are nodes without cards, wherever the columns stand and lines end', () => {
    const [view, other] = viewsOf('gpu,model,sn,memory_mib,cpu_milli\r\n0,,a,1024,32000\r\n1,T4,b,1,1\r\n');
    expect(view).toMatchObject({ name: 'a', devices: [], hostFree: { cpuMilli: 32_000, memoryMiB: 1024 } });
    expect(other?.devices).toHaveLength(1);
  });

  it.each([
    {
      name: 'nothing at all',
      text: '',
      want: 'line 1: no column sn, cpu_milli, memory_mib, gpu, model; wanted are sn,cpu_milli,memory_mib,gpu,model',
    },
    { name: 'a header alone', text: `${nodeHeader}\n`, want: 'no row below the header' },
    {
      name: 'a missing column',
      text: 'sn,cpu_milli,gpu,model\na,1,1,T4',
      want: 'line 1: no column memory_mib; wanted are sn,cpu_milli,memory_mib,gpu,model',
    },
    {
      name: 'a column twice',
      text: `${nodeHeader},gpu\na,1,1,1,T4,1`,
      want: 'line 1: column gpu is there twice',
    },
    {
      name: 'a short row',
      text: `${nodeHeader}\na,1,1,1,T4\nb,1,1`,
      want: 'line 3: 3 cells; the header has 5 columns',
    },
    {
      name: 'a number that is none',
      text: `${nodeHeader}\na,1e3,1,1,T4`,
      want: 'line 2: cpu_milli is "1e3"; wanted is a whole number from 0 to 1000000000',
    },
    {
      name: 'an empty number',
      text: `${nodeHeader}\na,1,,1,T4`,
      want: 'line 2: memory_mib is ""; wanted is a whole number from 0 to 1000000000',
    },
    {
      name: 'more cards than a node can have',
      text: `${nodeHeader}\na,1,1,257,T4`,
      want: 'line 2: gpu is "257"; wanted is a whole number from 0 to 256',
    },
    { name: 'a nameless node', text: `${nodeHeader}\n,1,1,1,T4`, want: 'line 2: sn is empty' },
    {
      name: 'a name twice',
      text: `${nodeHeader}\na,1,1,1,T4\na,1,1,1,T4`,
      want: 'line 3: sn a is on line 2 already',
    },
    {
      name: 'cards of no type',
      text: `${nodeHeader}\na,1,1,2,`,
      want: 'line 2: 2 cards without a model',
    },
    {
      name: 'a type without cards',
      text: `${nodeHeader}\na,1,1,0,T4`,
      want: 'line 2: model T4 without a card',
    },
  ])('are refused with $name', ({ text, want }) => {
    expect(parseOpenbNodes(text)).toEqual({ ok: false, problem: want });
  });
});

describe('pods of the trace', () => {
  const read = (row: string, header = podHeader) => valueOf(parseOpenbPods(`${header}\n${row}\n`))[0]!;

  it('ask for a share of a card in MiB and percent, and for CPU and memory of the host', () => {
    const { pod, ...times } = read('p,6000,12288,1,460,,LS,Running,427061,12537496,427061');
    expect(pod.containers).toEqual([
      {
        name: 'main',
        role: 'app',
        limits: { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '4600', 'nvidia.com/gpucores': '46' },
        requests: { cpu: '6000m', memory: '12288Mi' },
      },
    ]);
    expect(pod).toMatchObject({ namespace: 'openb', name: 'p', uid: 'openb/p', annotations: {} });
    expect(times).toEqual({ createdSeconds: 427_061, deletedSeconds: 12_537_496 });
  });

  it('may be bound to card types, in the words of the trace', () => {
    const { pod } = read('p,1,1,8,1000,V100M16|V100M32|V100M32,LS,Running,0,1,0');
    expect(pod.annotations).toEqual({ 'nvidia.com/use-gputype': 'V100M16,V100M32,V100M32' });
    expect(openbTypesOf(pod)).toEqual(['V100M16', 'V100M32', 'V100M32']);
  });

  it('may ask for no card and no memory', () => {
    const { pod } = read('p,500,0,0,0,,LS,Running,0,1,0');
    expect(pod.containers).toMatchObject([{ limits: {}, requests: { cpu: '500m' } }]);
    const [simulated] = readSimulatedPods([pod], nvidiaVendors);
    const views = viewsOf(`${nodeHeader}\nnode-1,96000,393216,2,G2\n`);
    expect(demandsMilli([simulated!.request], views)).toEqual([0]);
    expect(simulated?.request.host).toEqual({ cpuMilli: 500, memoryMiB: 0, pods: 1 });
  });

  it('have no times where the file has five columns, and no end where they outlive the trace', () => {
    expect(Object.keys(read('p,1,1,1,1000', 'name,cpu_milli,memory_mib,num_gpu,gpu_milli'))).toEqual(['pod']);
    expect(read('p,1,1,1,1000,,LS,Running,5,12902960,5')).toMatchObject({ createdSeconds: 5 });
    expect(read('p,1,1,1,1000,,LS,Running,5,12902960,5').deletedSeconds).toBeUndefined();
    expect(read('p,1,1,1,1000,,LS,Running,5,,').deletedSeconds).toBeUndefined();
  });

  const pod = (cells: string) => `${podHeader}\n${cells}`;
  it.each([
    {
      name: 'a missing column',
      text: 'name,cpu_milli,memory_mib,num_gpu\np,1,1,1',
      want: 'line 1: no column gpu_milli; wanted are name,cpu_milli,memory_mib,num_gpu,gpu_milli',
    },
    {
      name: 'a negative number',
      text: pod('p,-1,1,1,1000,,LS,Running,0,1,0'),
      want: 'line 2: cpu_milli is "-1"; wanted is a whole number from 0 to 1000000000',
    },
    {
      name: 'memory that is no number',
      text: pod('p,1,12Gi,1,1000,,LS,Running,0,1,0'),
      want: 'line 2: memory_mib is "12Gi"; wanted is a whole number from 0 to 1000000000',
    },
    {
      name: 'cards that are no number',
      text: pod('p,1,1,one,1000,,LS,Running,0,1,0'),
      want: 'line 2: num_gpu is "one"; wanted is a whole number from 0 to 256',
    },
    {
      name: 'a name twice',
      text: `${pod('p,1,1,1,1000,,LS,Running,0,1,0')}\np,1,1,1,1000,,LS,Running,0,1,0`,
      want: 'line 3: name p is on line 2 already',
    },
    {
      name: 'more than a card of a card',
      text: pod('p,1,1,1,1010,,LS,Running,0,1,0'),
      want: 'line 2: gpu_milli is "1010"; wanted is a whole number from 0 to 1000',
    },
    {
      name: 'a share of half a percent',
      text: pod('p,1,1,1,465,,LS,Running,0,1,0'),
      want: 'line 2: gpu_milli is 465; wanted is a multiple of 10',
    },
    {
      name: 'a share of no card',
      text: pod('p,1,1,0,460,,LS,Running,0,1,0'),
      want: 'line 2: gpu_milli is 460; wanted is 0 where num_gpu is 0',
    },
    {
      name: 'a card of which it takes nothing',
      text: pod('p,1,1,1,0,,LS,Running,0,1,0'),
      want: 'line 2: gpu_milli is 0; wanted is a share where num_gpu is 1',
    },
    {
      name: 'shares of several cards',
      text: pod('p,1,1,2,500,,LS,Running,0,1,0'),
      want: 'line 2: gpu_milli is 500; wanted is 1000 where num_gpu is more than 1',
    },
    {
      name: 'an empty card type',
      text: pod('p,1,1,1,1000,T4||G2,LS,Running,0,1,0'),
      want: 'line 2: gpu_spec is "T4||G2"; wanted are card types joined by "|"',
    },
    {
      name: 'a time that is none',
      text: pod('p,1,1,1,1000,,LS,Running,soon,1,0'),
      want: 'line 2: creation_time is "soon"; wanted is a whole number from 0 to 1000000000000',
    },
    {
      name: 'an end before the beginning',
      text: pod('p,1,1,1,1000,,LS,Running,7,6,0'),
      want: 'line 2: deletion_time 6 is before creation_time 7',
    },
  ])('are refused with $name', ({ text, want }) => {
    expect(parseOpenbPods(text)).toEqual({ ok: false, problem: want });
  });
});

describe('card types', () => {
  const nodes = (...types: readonly string[]) =>
    valueOf(
      parseOpenbNodes([nodeHeader, ...types.map((type, index) => `n${index},1,1,1,${type}`)].join('\n')),
    );
  const asking = (spec: string) =>
    valueOf(parseOpenbPods(`${podHeader}\np,1,1,1,1000,${spec},LS,Running,0,1,0`)).map(({ pod }) => pod);

  it('select the cards of their own name alone, as those of the trace do', () => {
    const types = ['A10', 'G2', 'G3', 'P100', 'T4', 'V100M16', 'V100M32'];
    for (const type of types)
      expect(checkOpenbTypes(nodes(...types), asking(type))).toMatchObject({ ok: true });
  });

  it('are refused where the name of one is a part of another, in whatever case', () => {
    const problem =
      'pod p: gpu_spec v100m is a part of the card type V100M16, and types are matched by parts; rename one of them';
    expect(checkOpenbTypes(nodes('V100M16', 'T4'), asking('T4|v100m'))).toEqual({ ok: false, problem });
    expect(checkOpenbTypes(nodes('A1', 'A10'), asking('A10'))).toMatchObject({ ok: true });
    expect(checkOpenbTypes(nodes('A1', 'A10'), asking('A1'))).toMatchObject({ ok: false });
  });
});

describe('orders', () => {
  const rows = { pods: 3, nodes: 2 };
  const line = (fields: object = {}) =>
    JSON.stringify({ seed: 42, arrivals: [2, 0, 2], nodeRank: [1, 0], ...fields });

  it('are read by seed, whatever else a line says', () => {
    const orders = valueOf(parseOrders(`${line({ by: 'hand' })}\n\n${line({ seed: 43 })}\n`, rows));
    expect([...orders.keys()]).toEqual([42, 43]);
    expect(orders.get(42)).toMatchObject({ arrivals: [2, 0, 2], nodeRank: [1, 0] });
  });

  it('are read as they were written', () => {
    const order = { seed: 7, arrivals: [0, 1, 1], nodeRank: [0, 1] };
    expect(valueOf(parseOrders(formatOrder(order), rows)).get(7)).toEqual(order);
  });

  it.each([
    { name: 'no line', text: '\n\n', want: /^no line with an order$/ },
    { name: 'a line that is no JSON', text: `${line()}\n{"seed":`, want: /^line 2: not valid JSON: / },
    {
      name: 'a line without arrivals',
      text: line({ arrivals: undefined }),
      want: /^line 1: document: must have required property 'arrivals'$/,
    },
    {
      name: 'no arrival',
      text: line({ arrivals: [] }),
      want: /^line 1: arrivals: must NOT have fewer than 1/,
    },
    {
      name: 'a row that is none',
      text: line({ arrivals: [0.5] }),
      want: /^line 1: arrivals\.0: must be integer$/,
    },
    { name: 'a negative row', text: line({ arrivals: [-1] }), want: /^line 1: arrivals\.0: must be >= 0$/ },
    {
      name: 'a pod beyond the file',
      text: line({ arrivals: [0, 3] }),
      want: /^line 1: arrivals\.1 is 3; the pod file has 3 rows$/,
    },
    {
      name: 'ranks of another cluster',
      text: line({ nodeRank: [0, 1, 2] }),
      want: /^line 1: nodeRank has 3 entries; the node file has 2 rows$/,
    },
    {
      name: 'one rank for two nodes',
      text: line({ nodeRank: [1, 1] }),
      want: /^line 1: nodeRank gives two nodes the same rank$/,
    },
    { name: 'a seed twice', text: `${line()}\n${line()}`, want: /^line 2: seed 42 is there twice$/ },
  ])('are refused with $name', ({ text, want }) => {
    const orders = parseOrders(text, rows);
    expect(orders.ok ? undefined : orders.problem).toMatch(want);
  });
});

describe('the excerpt', () => {
  const textOf = (file: string) =>
    readFileSync(fileURLToPath(new URL(`excerpt/${file}`, import.meta.url)), 'utf8');
  const views = viewsOf(textOf('nodes.csv'));
  const pods = podsOf(textOf('pods.csv'));
  const demands = demandsOf(pods, views);
  const orders = valueOf(parseOrders(textOf('orders.jsonl'), { pods: pods.length, nodes: views.length }));

  it('is what its notice says', () => {
    expect({ nodes: views.length, capacity: capacityMilli(views) }).toEqual({ nodes: 41, capacity: 188_000 });
    expect({ pods: pods.length, demand: sumOf(demands) }).toEqual({ pods: 408, demand: 312_460 });
    expect(pods.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('has pods whose types mean what the trace means by them', () => {
    const nodes = valueOf(parseOpenbNodes(textOf('nodes.csv')));
    const objects = valueOf(parseOpenbPods(textOf('pods.csv'))).map(({ pod }) => pod);
    expect(checkOpenbTypes(nodes, objects)).toMatchObject({ ok: true });
    for (const [index, object] of objects.entries()) {
      const selector = pods[index]?.request.selectors.get('NVIDIA');
      const types = openbTypesOf(object);
      expect(selector === undefined).toBe(types.length === 0);
      if (selector === undefined) continue;
      for (const [position, view] of views.entries()) {
        const type = openbCardType(nodes[position]!)!;
        expect(acceptsType(selector, view.devices[0]!.device)).toBe(types.includes(type));
      }
    }
  });

  it.each([
    { seed: 42, wantPods: 326 },
    { seed: 43, wantPods: 320 },
  ])('has the order that is drawn for seed $seed', ({ seed, wantPods }) => {
    const order = drawnOrder({
      seed,
      demandsMilli: demands,
      nodes: views.length,
      targetMilli: 1.3 * 188_000,
    });
    expect(order).toEqual({ ok: true, value: orders.get(seed) });
    expect(orders.get(seed)?.arrivals).toHaveLength(wantPods);
  });
});

// The whole trace is too large for the repository; TESSERA_OPENB names the folder that has it.
const folder = process.env['TESSERA_OPENB'];
const describeTrace = folder === undefined ? describe.skip : describe;

describeTrace('the whole trace', () => {
  const textOf = (file: string) => readFileSync(join(folder ?? '', file), 'utf8');

  it('has 6212 cards, on nodes of which some have none', () => {
    expect(capacityMilli(viewsOf(textOf('nodes_gpu.csv')))).toBe(6_212_000);
    const all = viewsOf(textOf('nodes_all.csv'));
    expect(all).toHaveLength(1523);
    expect(all.filter(({ devices }) => devices.length === 0)).toHaveLength(310);
    expect(capacityMilli(all)).toBe(6_212_000);
  });

  // Figures of the data set's own description.
  it.each([
    { variant: 'default', wantMilli: 6_086_800, wantArrivals: 10_866, wantArrivedMilli: 8_075_080 },
    { variant: 'gpuspec33', wantMilli: 6_086_800, wantArrivals: 10_866, wantArrivedMilli: 8_075_080 },
    { variant: 'multigpu40', wantMilli: 9_442_800, wantArrivals: 7435, wantArrivedMilli: 8_067_610 },
  ])(
    '$variant asks for what its description says',
    ({ variant, wantMilli, wantArrivals, wantArrivedMilli }) => {
      const views = viewsOf(textOf('nodes_gpu.csv'));
      const pods = podsOf(textOf(`pods/${variant}.csv`));
      const demands = demandsOf(pods, views);
      expect(pods.flatMap(({ problems }) => problems)).toEqual([]);
      expect(sumOf(demands)).toBe(wantMilli);
      const rows = { pods: pods.length, nodes: views.length };
      const order = valueOf(parseOrders(textOf(`orders/${variant}.jsonl`), rows)).get(42)!;
      expect(order.arrivals).toHaveLength(wantArrivals);
      expect(sumOf(order.arrivals.map((pod) => demands[pod] ?? 0))).toBe(wantArrivedMilli);
    },
  );
});
