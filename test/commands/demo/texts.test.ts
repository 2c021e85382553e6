/** The words of the demo, and how many of them there may be. */
import { describe, expect, it } from '@jest/globals';
import { changeText, shortReason } from '../../../src/commands/demo/change-texts.ts';
import { PlainLines } from '../../../src/commands/demo/plain-lines.ts';
import type { BoardPod, PodChange } from '../../../src/commands/demo/pod-board.ts';
import { askText, cardsText, elapsedText } from '../../../src/commands/demo/pod-texts.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { gpuLimits, type GpuAmounts, makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import { makeNvidiaConfig } from '../../vendors/nvidia-config.ts';

function podOf(fields: PodFields = {}) {
  const pod = parsePod(makePod(fields));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

describe('askText', () => {
  const cases: readonly { readonly want: string; readonly containers: readonly GpuAmounts[] }[] = [
    { want: '', containers: [{}] },
    { want: 'a whole card', containers: [{ count: 1 }] },
    { want: '4 whole cards', containers: [{ count: 4, memoryPercent: 100, corePercent: 100 }] },
    { want: '1 × 8192 MiB, 30 %', containers: [{ count: 1, memoryMiB: 8192, corePercent: 30 }] },
    { want: '2 × 50 % memory', containers: [{ count: 2, memoryPercent: 50 }] },
    { want: '1 × 3000 MiB + a whole card', containers: [{ count: 1, memoryMiB: '3k' }, {}, { count: 1 }] },
  ];
  it.each(cases)('"$want"', ({ containers, want }) => {
    const pod = podOf({ containers: containers.map((amounts) => ({ limits: gpuLimits(amounts) })) });
    expect(askText(pod.containers, makeNvidiaConfig())).toBe(want);
  });
});

it.each([
  { ids: [], want: '' },
  { ids: ['c'], want: 'card 2' },
  { ids: ['b', 'a', 'b'], want: 'cards 0, 1' },
  { ids: ['unknown'], want: '' },
])('cardsText: "$want"', ({ ids, want }) => {
  const shares = ids.map((deviceId) => ({ vendor: 'NVIDIA', deviceId, memoryMiB: 1, corePercent: 0 }));
  const indexes = new Map([
    ['a', 0],
    ['b', 1],
    ['c', 2],
  ]);
  expect(cardsText(shares, (id) => indexes.get(id))).toBe(want);
});

it.each([
  [0, '0:00'],
  [59_999, '0:59'],
  [3_600_000, '60:00'],
])('elapsedText of %d ms is %s', (ms, want) => {
  expect(elapsedText(ms)).toBe(want);
});

describe('changeText', () => {
  const refusal = '0/3 nodes are available: 1 A, 2 B.';
  const cases: readonly { readonly change: PodChange; readonly node?: string; readonly want: string }[] = [
    { change: 'waits', want: 'waits (a whole card): 1 A, 2 B' },
    { change: 'placed', node: 'n1', want: '→ n1, card 0 (a whole card)' },
    { change: 'finished', node: 'n1', want: 'finished on n1' },
    { change: 'failed', node: 'n1', want: `failed: ${refusal}` },
    { change: 'removed', want: 'taken back before it had a place' },
    { change: 'removed', node: 'n1', want: 'deleted from n1' },
  ];
  it.each(cases)('$change: $want', ({ change, node, want }) => {
    const entry: BoardPod = {
      pod: podOf(node === undefined ? {} : { nodeName: node }),
      asks: 'a whole card',
      cards: 'card 0',
      reason: refusal,
      sinceMs: 0,
    };
    expect(changeText({ atMs: 0, change, entry }).text).toBe(want);
  });

  it('leaves a reason alone that is not about nodes', () => {
    expect(shortReason('node is locked')).toBe('node is locked');
  });
});

describe('PlainLines', () => {
  function makeLines() {
    const clock = new ManualClock();
    const written: string[] = [];
    return { clock, written, lines: new PlainLines(clock, (line) => written.push(line)) };
  }

  it('writes at most 20 lines a second, then says how many it left out', () => {
    const { clock, written, lines } = makeLines();
    for (let index = 0; index < 25; index += 1) lines.add(`line ${index}`);
    expect(written).toHaveLength(20);
    clock.advance(1000);
    expect(written.slice(20)).toEqual(['and 5 more changes']);
    lines.add('next');
    expect(written.at(-1)).toBe('next');
    expect(clock.pending).toBe(0);
  });

  it('says at its end what it left out', () => {
    const { written, lines } = makeLines();
    for (let index = 0; index < 21; index += 1) lines.add(`line ${index}`);
    lines.close();
    expect(written.at(-1)).toBe('and 1 more changes');
  });

  it('cuts a line that is too long for any log', () => {
    const { written, lines } = makeLines();
    lines.add('x'.repeat(1000));
    expect(written[0]).toHaveLength(200);
  });
});
