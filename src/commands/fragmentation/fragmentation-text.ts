/** The report of fragmentation for people and as JSON, whose shape stays. */
import { plural } from '../plural.ts';
import { figureColumn, type Table, tableText, wordColumn } from '../simulate/table.ts';
import type { FragmentationReport, IdleCards, VendorReport } from './fragmentation-report.ts';

/** Ends in a line break. */
export function fragmentationText({ workload, nodes, vendors }: FragmentationReport): string {
  const source =
    workload === 'given'
      ? 'the configured workload'
      : 'the pods of the cluster (and assumed ones, where those are few)';
  if (vendors.length === 0) return `No cards on ${plural(nodes, 'node')}.\n`;
  const parts = vendors.flatMap((vendor) => [
    tableText(typesTable(vendor)),
    tableText(classesTable(vendor)),
    ...vendor.classes.flatMap(({ words, scattered }) =>
      scattered === undefined ? [] : [`No more of ${words} fit: ${scattered}.\n`],
    ),
  ]);
  return [`${plural(nodes, 'node')}, measured against ${source}; amounts are in cards.\n`, ...parts].join(
    '\n',
  );
}

function typesTable({ vendor, types, ...all }: VendorReport): Table {
  const row = (name: string, { cards, wholeIdle, idleMilli, fragmentedMilli }: IdleCards) => [
    name,
    `${cards}`,
    `${wholeIdle}`,
    inCards(idleMilli),
    inCards(fragmentedMilli),
    shareOf(fragmentedMilli, idleMilli),
  ];
  return {
    caption: `${vendor}: what is idle`,
    columns: [
      wordColumn('type'),
      ...['cards', 'wholly idle', 'idle in sum', 'fragmented', 'of the idle'].map(figureColumn),
    ],
    rows: [...types.map((entry) => row(entry.type, entry)), ...(types.length > 1 ? [row('all', all)] : [])],
  };
}

function classesTable({ vendor, classes, idleMilli }: VendorReport): Table {
  return {
    caption: `${vendor}: what pods ask for, and what of the idle is useless to them`,
    columns: [wordColumn('class'), ...['of pods', 'more fit', 'useless', 'of the idle'].map(figureColumn)],
    rows: classes.map(({ words, podsPercent, fits, uselessMilli }) => [
      words,
      `${podsPercent.toFixed(1)} %`,
      `${fits}`,
      inCards(uselessMilli),
      shareOf(uselessMilli, idleMilli),
    ]),
  };
}

function inCards(milli: number): string {
  return (milli / 1000).toFixed(2);
}

function shareOf(milli: number, ofMilli: number): string {
  return ofMilli === 0 ? '0.0 %' : `${((100 * milli) / ofMilli).toFixed(1)} %`;
}

/** A change that breaks readers raises `version`. */
export function fragmentationJson(report: FragmentationReport): string {
  const document = {
    version: 1,
    ...report,
    vendors: report.vendors.map((vendor) => ({ ...vendor, ratio: ratioOf(vendor) })),
  };
  return `${JSON.stringify(document, rounded, 2)}\n`;
}

/** Sums of parts end in digits that mean nothing. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(6)) : value;
}

/** As the gauge has it: 0 where nothing is idle. */
function ratioOf({ fragmentedMilli, idleMilli }: IdleCards): number {
  return idleMilli === 0 ? 0 : fragmentedMilli / idleMilli;
}
