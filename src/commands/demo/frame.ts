/**
 * The picture of the live screen as lines, from what is known at a moment. Pure, and made for the size of the terminal:
 * of nodes, waiting pods and changes it shows what there is room for and says how many more there are.
 */
import type { DeviceView } from '../../model/node-view.ts';
import { cardLevels, type Dimension, dimensions, usedPercent } from './card-levels.ts';
import { column, type Line, piece } from './painting.ts';

export interface FrameNode {
  readonly name: string;
  readonly devices: readonly DeviceView[];
  readonly pods: number;
}

export interface FrameWaiting {
  readonly name: string;
  readonly asks: string;
  readonly waited: string;
  readonly reason: string;
  /** What the nearest node lacks; empty where nobody has said so yet. */
  readonly nearest: string;
}

export interface FrameChange {
  readonly at: string;
  readonly name: string;
  readonly text: string;
  readonly tone: 'good' | 'faint' | 'notice' | 'bad';
}

export interface FrameContent {
  readonly elapsed: string;
  readonly nodes: readonly FrameNode[];
  readonly counts: {
    readonly running: number;
    readonly waiting: number;
    readonly finished: number;
    readonly failed: number;
  };
  /** Longest waiting first. */
  readonly waiting: readonly FrameWaiting[];
  /** Newest first. */
  readonly changes: readonly FrameChange[];
  /** How to talk to it, a command a line, the most useful first. */
  readonly help: readonly string[];
}

const nameWidth = 10;
const kindWidth = 20;
const dimensionTitles: Readonly<Record<Dimension, string>> = {
  slots: 'shares',
  memoryMiB: 'memory',
  corePercent: 'compute',
};
const percentWidth = 5;
/** From this height on, nodes, waiting pods and changes leave room for all of the help. */
const roomyHeight = 30;
const helpWhereNarrow = 2;
const blank: Line = [];

/** At most `height` lines; the first tells most. */
export function frameLines(content: FrameContent, height: number): readonly Line[] {
  const help = content.help
    .slice(0, height < roomyHeight ? helpWhereNarrow : content.help.length)
    .map((line) => [piece(` ${line}`, 'faint')]);
  const head = [titleLine(content), blank, headerLine(content)];
  const left = height - head.length - help.length - 1;
  const nodeRoom = Math.min(content.nodes.length, Math.max(3, left - 6));
  const belowRoom = left - nodeRoom;
  const waitingRoom = Math.min(2 * content.waiting.length, Math.max(2, Math.floor(belowRoom / 2) - 2));
  const changeRoom = belowRoom - (content.waiting.length === 0 ? 0 : waitingRoom + 2) - 2;
  return [
    ...head,
    ...nodeLines(content.nodes, nodeRoom),
    ...waitingLines(content.waiting, waitingRoom),
    ...changeLines(content.changes, changeRoom),
    blank,
    ...help,
  ].slice(0, Math.max(1, height));
}

function titleLine({ elapsed, nodes, counts }: FrameContent): Line {
  const devices = nodes.flatMap((node) => node.devices);
  const sick = devices.filter(({ device }) => !device.healthy).length;
  return [
    piece(' Tessera', 'strong'),
    piece(`  ${nodes.length} nodes, ${devices.length} cards`),
    piece(sick === 0 ? '' : ` (${sick} sick)`, 'bad'),
    piece(`  running ${counts.running}`, 'good'),
    piece(`  waiting ${counts.waiting}`, counts.waiting === 0 ? 'plain' : 'notice'),
    piece(`  finished ${counts.finished}`),
    piece(counts.failed === 0 ? '' : `  failed ${counts.failed}`, 'bad'),
    piece(`  ${elapsed}  Ctrl-C ends it`, 'faint'),
  ];
}

/** Wide enough for the node with most cards. */
function barWidth(nodes: readonly FrameNode[]): number {
  return Math.max(4, ...nodes.map(({ devices }) => devices.length));
}

function headerLine({ nodes }: FrameContent): Line {
  const width = barWidth(nodes) + percentWidth;
  const titles = dimensions.map((dimension) => column(dimensionTitles[dimension], width + 2));
  return [piece(` ${column('node', nameWidth)}${column('cards', kindWidth)}${titles.join('')}pods`, 'faint')];
}

function nodeLines(nodes: readonly FrameNode[], room: number): readonly Line[] {
  const width = barWidth(nodes);
  const shown = nodes.length <= room ? nodes : nodes.slice(0, room - 1);
  const lines = shown.map((node) => nodeLine(node, width));
  if (shown.length === nodes.length) return lines;
  return [...lines, [piece(` and ${nodes.length - shown.length} more nodes`, 'faint')]];
}

function nodeLine({ name, devices, pods }: FrameNode, width: number): Line {
  const kind = devices[0]?.device.type.replace(/^NVIDIA[- ]/, '').replace(/^Tesla /, '');
  const cards = kind === undefined ? 'none' : `${devices.length} × ${kind}`;
  return [
    piece(` ${column(name, nameWidth)}`),
    piece(column(cards, kindWidth), kind === undefined ? 'faint' : 'plain'),
    ...dimensions.flatMap((dimension) => dimensionPieces(devices, dimension, width)),
    piece(String(pods).padStart(3)),
  ];
}

function dimensionPieces(devices: readonly DeviceView[], dimension: Dimension, width: number): Line {
  const percent = devices.length === 0 ? '' : `${usedPercent(devices, dimension)} %`;
  return [
    ...cardLevels(devices, dimension),
    piece(' '.repeat(width - devices.length)),
    piece(`${percent.padStart(percentWidth)}  `),
  ];
}

function waitingLines(waiting: readonly FrameWaiting[], room: number): readonly Line[] {
  if (waiting.length === 0) return [];
  const shown = waiting.slice(0, Math.max(1, Math.floor(room / 2)));
  const more = waiting.length - shown.length;
  return [
    blank,
    [piece(' waiting', 'strong'), piece(more === 0 ? '' : `, and ${more} more`, 'faint')],
    ...shown.flatMap(({ name, asks, waited, reason, nearest }) => [
      [
        piece(` ${column(name, 18)}`, 'notice'),
        piece(`${column(asks, 24)}${waited.padStart(5)}  `),
        piece(reason || 'not looked at yet'),
      ],
      [piece(nearest === '' ? '' : ` ${column('', 18)}nearest: ${nearest}`, 'faint')],
    ]),
  ];
}

function changeLines(changes: readonly FrameChange[], room: number): readonly Line[] {
  if (room < 1) return [];
  return [
    blank,
    [piece(' lately', 'strong')],
    ...changes
      .slice(0, room)
      .map(({ at, name, text, tone }) => [
        piece(` ${at.padStart(6)}  `, 'faint'),
        piece(column(name, 18)),
        piece(text, tone),
      ]),
  ];
}
