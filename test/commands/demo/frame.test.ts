/** The live screen's picture: what is told first, and what gives way when there is little room. */
import { describe, expect, it } from '@jest/globals';
import type { FrameContent, FrameNode } from '../../../src/commands/demo/frame.ts';
import { frameLines } from '../../../src/commands/demo/frame.ts';
import { cut, paint, piece } from '../../../src/commands/demo/painting.ts';
import { makeDevice } from '../../support/views.ts';

const usage = (slots: number, memoryMiB: number, corePercent: number) => ({ slots, memoryMiB, corePercent });

const node: FrameNode = {
  name: 'a100-1',
  pods: 3,
  devices: [
    {
      device: makeDevice({ slots: 10, memoryMiB: 80_000, type: 'NVIDIA A100' }),
      used: usage(0, 0, 0),
      withheld: false,
      cordoned: false,
      occupied: [],
      kinds: [],
      unclear: false,
    },
    {
      device: makeDevice({ slots: 10, memoryMiB: 80_000 }),
      used: usage(1, 40_000, 100),
      withheld: false,
      cordoned: false,
      occupied: [],
      kinds: [],
      unclear: false,
    },
    {
      device: makeDevice({ slots: 10, memoryMiB: 80_000, healthy: false }),
      used: usage(0, 0, 0),
      withheld: false,
      cordoned: false,
      occupied: [],
      kinds: [],
      unclear: false,
    },
    {
      device: makeDevice({ slots: 10, memoryMiB: 80_000 }),
      used: usage(0, 0, 0),
      withheld: true,
      cordoned: false,
      occupied: [],
      kinds: [],
      unclear: false,
    },
  ],
};

function contentOf(fields: Partial<FrameContent> = {}): FrameContent {
  return {
    elapsed: '1:05',
    nodes: [node],
    counts: { running: 3, waiting: 1, finished: 2, failed: 0 },
    waiting: [
      { name: 'big-1', asks: '8 whole cards', waited: '0:09', reason: '1 X', nearest: 'a100-1, has 4' },
    ],
    changes: [{ at: '1:04', name: 'small-2', text: '→ a100-1, card 0', tone: 'good' }],
    help: ['kubectl get pods', 'curl explain', 'curl metrics'],
    ...fields,
  };
}

const textOf = (content: FrameContent, height: number, width = 100) =>
  frameLines(content, height).map((line) => paint(line, width, false).trimEnd());

describe('frameLines', () => {
  it('shows cards by how full they are, who waits and why, and what has happened', () => {
    expect(textOf(contentOf(), 40)).toEqual([
      ' Tessera  1 nodes, 4 cards (1 sick)  running 3  waiting 1  finished 2  1:05  Ctrl-C ends it',
      '',
      ' node      cards               shares     memory     compute    pods',
      ' a100-1    4 × A100            ·▁x!  3 %  ·▄x! 17 %  ·█x! 33 %    3',
      '',
      ' waiting',
      ' big-1             8 whole cards            0:09  1 X',
      '                   nearest: a100-1, has 4',
      '',
      ' lately',
      '   1:04  small-2           → a100-1, card 0',
      '',
      ' kubectl get pods',
      ' curl explain',
      ' curl metrics',
    ]);
  });

  it.each([6, 8, 10, 15, 20, 24, 30, 50])('fits into %d lines, and says what it left out', (height) => {
    const many = contentOf({
      nodes: Array.from({ length: 30 }, (_, index) => ({ ...node, name: `n${index}` })),
      waiting: Array<FrameContent['waiting'][number]>(20).fill(contentOf().waiting[0]!),
      changes: Array<FrameContent['changes'][number]>(20).fill(contentOf().changes[0]!),
    });
    const lines = textOf(many, height, 60);
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(lines[0]).toContain('30 nodes');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    if (height > 8 && height < 40) expect(lines.find((line) => line.endsWith('more nodes'))).toBeDefined();
    if (height > 15) expect(lines.find((line) => /^ waiting, and \d+ more$/.test(line))).toBeDefined();
  });

  it('says nothing of waiting when nobody waits, and of a node without cards that it has none', () => {
    const lines = textOf(contentOf({ waiting: [], nodes: [{ name: 'cpu-1', devices: [], pods: 0 }] }), 40);
    expect(lines).not.toContain(' waiting');
    expect(lines[3]).toMatch(/^ cpu-1 +none +0$/);
  });
});

describe('paint', () => {
  it.each([
    { name: 'colours when they are wanted', width: 9, colours: true, want: '\x1b[31mab\x1b[0mcd' },
    { name: 'none when they are not', width: 9, colours: false, want: 'abcd' },
    { name: 'what does not fit ends in an ellipsis', width: 3, colours: true, want: '\x1b[31mab\x1b[0m…' },
    { name: 'nothing in no width', width: 0, colours: true, want: '' },
  ])('$name', ({ width, colours, want }) => {
    expect(paint([piece('ab', 'bad'), piece('cd')], width, colours)).toBe(want);
  });

  it('cuts no text that fits', () => {
    expect([cut('abc', 3), cut('abcd', 3), cut('abcd', 0)]).toEqual(['abc', 'ab…', '']);
  });
});
