/**
 * The published experiment written down once more, as plainly as possible and from the text of the trace alone: numbers
 * in thousandths of a card, every node looked at for every pod, nothing remembered. It shares no line with the simulator,
 * so that the two can tell on each other.
 */
export interface Task {
  readonly cpu: number;
  readonly memory: number;
  readonly cards: number;
  readonly milli: number;
  readonly types: string;
}

export interface Machine {
  readonly type: string;
  readonly free: number[];
  readonly kinds: Set<string>;
  cpu: number;
  memory: number;
}

export type Rule = 'fgd' | 'bestfit' | 'dotprod' | 'gpupacking' | 'gpuclustering';

export function readTasks(csv: string): readonly Task[] {
  return rowsOf(csv).map(([, cpu, memory, cards, milli, types = '']) => ({
    cpu: Number(cpu),
    memory: Number(memory),
    cards: Number(cards),
    milli: Number(milli),
    types,
  }));
}

export function readMachines(csv: string): readonly Machine[] {
  return rowsOf(csv).map(([, cpu, memory, cards, type = '']) => ({
    type,
    free: Array.from({ length: Number(cards) }, () => 1000),
    kinds: new Set<string>(),
    cpu: Number(cpu),
    memory: Number(memory),
  }));
}

function rowsOf(csv: string): readonly string[][] {
  return csv
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
}

/** The machine of each arrival, -1 where there is none; the machines are left as they are then. */
export function place(
  rule: Rule,
  machines: readonly Machine[],
  tasks: readonly Task[],
  { arrivals, nodeRank }: { readonly arrivals: readonly number[]; readonly nodeRank: readonly number[] },
): readonly number[] {
  const byRank = machines.map((_, at) => at).sort((a, b) => nodeRank[a]! - nodeRank[b]!);
  const targets = targetsOf(tasks);
  return arrivals.map((number) => {
    const task = tasks[number]!;
    const open = byRank.filter((at) => fits(machines[at]!, task));
    let scores = open.map((at) => scoreOf(rule, machines[at]!, task, targets));
    if (rule === 'bestfit') {
      const [low, high] = [Math.min(...scores), Math.max(...scores)];
      scores = scores.map((score) => (high === low ? 0 : Math.trunc(((score - low) * 100) / (high - low))));
    }
    const at = open[scores.indexOf(Math.max(...scores))] ?? -1;
    if (at < 0) return at;
    const machine = machines[at]!;
    if (task.cards > 0) machine.kinds.add(kindOf(task));
    Object.assign(machine, after(machine, task, cardOf(rule, machine, task, targets)));
    return at;
  });
}

const takes = ({ types }: Task, { type }: Machine) => types === '' || types.split('|').includes(type);
const kindOf = ({ cards, milli }: Task) => (milli < 1000 ? 'part' : `${cards}`);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Whether a task may go to a machine at all. */
export function fits(machine: Machine, task: Task): boolean {
  const room = machine.free.filter((milli) => milli >= task.milli).length;
  return (
    machine.cpu >= task.cpu &&
    machine.memory >= task.memory &&
    (task.cards === 0 || (takes(task, machine) && room >= task.cards))
  );
}

/** Shares go on one card, whole cards on the first idle ones. */
function after(machine: Machine, task: Task, card: number): Pick<Machine, 'cpu' | 'memory' | 'free'> {
  let left = task.cards;
  const free = machine.free.map((milli, at) => {
    if (task.milli < 1000 ? at !== card || task.cards === 0 : milli < 1000 || left === 0) return milli;
    left -= 1;
    return milli - task.milli;
  });
  return { cpu: machine.cpu - task.cpu, memory: machine.memory - task.memory, free };
}

function cardOf(rule: Rule, machine: Machine, task: Task, targets: readonly Target[]): number {
  const possible = [...machine.free.keys()].filter((at) => machine.free[at]! >= task.milli);
  const worth = (at: number) =>
    rule === 'fgd' && task.milli < 1000 ? descent(machine, task, at, targets) : -machine.free[at]!;
  const worths = possible.map(worth);
  return possible[worths.indexOf(Math.max(...worths))] ?? -1;
}

function scoreOf(rule: Rule, machine: Machine, task: Task, targets: readonly Target[]): number {
  const { free, cpu, kinds } = machine;
  const [idle, asked] = [sum(free), task.cards * task.milli];
  switch (rule) {
    case 'fgd':
      return descent(machine, task, cardOf(rule, machine, task, targets), targets);
    case 'bestfit':
      return Math.trunc(100 * (1 - 0.5 * ((cpu - task.cpu) / 128_000 + (idle - asked) / 8000)));
    case 'dotprod':
      return Math.trunc(100 * (1 - 0.5 * ((cpu * task.cpu) / 128_000 ** 2 + (idle * asked) / 8000 ** 2)));
    case 'gpupacking': {
      if (task.cards === 0) return 0;
      const whole = free.filter((milli) => milli === 1000).length;
      if (whole === free.length) return Math.max(33 - whole, whole);
      const given = free.filter((milli) => milli >= task.milli).sort((a, b) => a - b);
      const chosen = given.slice(0, task.cards);
      const begun = chosen.filter((milli) => milli === 1000).length;
      if (begun > 0) return Math.max(50 - begun, 33);
      return Math.max(100 - Math.floor(sum(chosen.map((milli) => Math.floor(milli / 10))) / 10), 50);
    }
    case 'gpuclustering': {
      if (task.cards === 0) return 0;
      const base = Math.floor((25 * (8000 - idle)) / 8000);
      if (kinds.size === 0) return base + 25;
      if (!kinds.has(kindOf(task))) return base;
      return base + (kinds.size === 1 ? 75 : 50);
    }
  }
}

interface Target extends Task {
  readonly popularity: number;
}

/** Tasks alike but for memory are one class; the most frequent ones that are 95 % of all. */
export function targetsOf(tasks: readonly Task[]): readonly Target[] {
  const groups = [...Map.groupBy(tasks, ({ cpu, milli, cards, types }) => [cpu, milli, cards, types].join())]
    .map(([, own]) => ({ ...own[0]!, count: own.length }))
    .sort(
      (a, b) =>
        b.count - a.count ||
        b.cpu - a.cpu ||
        b.milli - a.milli ||
        b.cards - a.cards ||
        (a.types < b.types ? 1 : -1),
    );
  const end = groups.findIndex(
    (_, at) => sum(groups.slice(0, at + 1).map(({ count }) => count)) >= 0.95 * tasks.length,
  );
  const typical = groups.slice(0, end + 1);
  const covered = sum(typical.map(({ count }) => count)) / tasks.length;
  return typical.map((group) => ({ ...group, popularity: group.count / tasks.length / covered }));
}

function descent(machine: Machine, task: Task, card: number, targets: readonly Target[]): number {
  const then = { ...machine, ...after(machine, task, card) };
  const growth = fragmented(then, targets) - fragmented(machine, targets);
  return Math.floor(100 / (1 + Math.exp(growth / 1000)));
}

/** What of the idle cards the targets cannot use; added up by reason and then together, in the published order. */
export function fragmented(machine: Machine, targets: readonly Target[]): number {
  const { free, cpu } = machine;
  const idle = sum(free);
  const reasons = [0, 0, 0, 0, 0, 0];
  for (const target of targets) {
    const room = free.filter((milli) => milli >= target.milli).length;
    const hasCpu = cpu >= target.cpu;
    const [reason, lost] = ((): [number, number] => {
      if (target.cards === 0) return [hasCpu ? 3 : 4, idle];
      if (!takes(target, machine)) return [5, idle];
      if (room < target.cards) return [hasCpu ? 1 : 0, idle];
      return hasCpu ? [1, sum(free.filter((milli) => milli < target.milli))] : [2, idle];
    })();
    reasons[reason]! += target.popularity * lost;
  }
  return sum(reasons);
}
