/**
 * The metrics of HAMi's scheduler (`hami-gauges.ts`) over the device-state cache, as text behind our own metrics. A
 * large cluster has some hundred thousand of these series: each node's lines are kept until its view changes, and
 * both the walk over the nodes and the page are cut into pieces between which the process serves others.
 */
import { setImmediate } from 'node:timers/promises';
import type { HamiMetrics as HamiMetricNames } from '../config/config.ts';
import { compareText } from '../model/device.ts';
import { isCut } from '../model/mig.ts';
import type { NodeView } from '../model/node-view.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import { gaugeHeader, labelText, sampleLine } from '../telemetry/exposition.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type BuildRow,
  buildGauges,
  deviceGauges,
  type Gauge,
  migGauges,
  quotaGauges,
  shareGauges,
  type Spelling,
} from './hami-gauges.ts';
import { computeUnits, deviceRows, migRows, quotaRows, shareRows } from './hami-rows.ts';
import { version } from './version.ts';

/** What is read of the cache. */
export type HamiSource = Pick<DeviceState, 'vendors' | 'nodeNames' | 'view' | 'entriesOf' | 'quotaUsages'>;

const spellingsOf: Readonly<Record<HamiMetricNames, readonly Spelling[]>> = {
  current: ['current'],
  legacy: ['legacy'],
  both: ['current', 'legacy'],
  off: [],
};

/** Puts HAMi's metrics under the names asked for on the page behind ours. */
export function serveHamiMetrics(source: HamiSource, metrics: Metrics, names: HamiMetricNames): void {
  if (names === 'off') return;
  const runtime = `node ${process.version}`;
  const build = { version, runtime, platform: `${process.platform}/${process.arch}` };
  const hami = new HamiMetrics(source, { names, build });
  metrics.onPage(() => hami.page());
}

/** Nodes that are looked at, or written out, in one go: some 10,000 lines where all of them changed. */
const nodesPerPiece = 100;
const quotasPerPiece = 1000;

/** Samples by family: of one node, or of some namespaces. */
type Lines = ReadonlyMap<Gauge<never>, string>;

interface NodeText {
  readonly generation: number;
  readonly migIdentities: string;
  readonly lines: Lines;
}

export interface HamiMetricsOptions {
  readonly names: HamiMetricNames;
  readonly build: BuildRow;
}

export class HamiMetrics {
  readonly #source: HamiSource;
  readonly #build: BuildRow;
  readonly #spellings: readonly Spelling[];
  /** Of the nodes that were there at the last walk. */
  #texts: ReadonlyMap<string, NodeText> = new Map();

  constructor(source: HamiSource, { names, build }: HamiMetricsOptions) {
    this.#source = source;
    this.#build = build;
    this.#spellings = spellingsOf[names];
  }

  /** Every family in one piece, in the order of their names; a node's samples are all of one moment. */
  async *page(): AsyncGenerator<string, void> {
    const lines = [
      this.#linesOf(buildGauges, [this.#build]),
      ...(await this.#walkNodes()),
      ...(await this.#walkQuotas()),
    ];
    const all = [...buildGauges, ...deviceGauges, ...shareGauges, ...migGauges, ...quotaGauges];
    for (const gauge of this.#asked<never>(all).sort((a, b) => compareText(a.name, b.name))) {
      yield gaugeHeader(gauge.name, gauge.help);
      for (const piece of pieces(lines, nodesPerPiece)) {
        yield piece.map((part) => part.get(gauge) ?? '').join('');
        await setImmediate();
      }
    }
  }

  async #walkNodes(): Promise<readonly Lines[]> {
    const previous = this.#texts;
    const next = new Map<string, NodeText>();
    for (const piece of pieces([...this.#source.nodeNames()].sort(compareText), nodesPerPiece)) {
      for (const name of piece) {
        const view = this.#source.view(name);
        if (view !== undefined) next.set(name, this.#textOf(view, previous.get(name)));
      }
      await setImmediate();
    }
    this.#texts = next;
    return [...next.values()].map(({ lines }) => lines);
  }

  /** The text that is there, or where the node is not what it was, a new one. */
  #textOf(view: NodeView, previous: NodeText | undefined): NodeText {
    const cut = view.devices.some(({ device }) => isCut(device));
    const same = previous?.generation === view.generation;
    if (same && !cut) return previous;
    const entries = this.#source.entriesOf(view.name);
    // What the plugin reports of an instance changes no verdict, and so no generation.
    const migIdentities = cut ? identitiesOf(entries) : '';
    if (same && previous.migIdentities === migIdentities) return previous;
    const units = computeUnits(view, this.#source.vendors);
    const lines = new Map([
      ...this.#linesOf(deviceGauges, deviceRows(view, units)),
      ...this.#linesOf(shareGauges, shareRows(entries, units)),
      ...this.#linesOf(migGauges, cut ? migRows(view, entries) : []),
    ]);
    return { generation: view.generation, migIdentities, lines };
  }

  async #walkQuotas(): Promise<readonly Lines[]> {
    const lines: Lines[] = [];
    for (const piece of pieces(quotaRows(this.#source.quotaUsages()), quotasPerPiece)) {
      lines.push(this.#linesOf(quotaGauges, piece));
      await setImmediate();
    }
    return lines;
  }

  #linesOf<Row>(gauges: readonly Gauge<Row>[], rows: readonly Row[]): Lines {
    const asked = this.#asked(gauges);
    const parts = new Map<Gauge<never>, string[]>(asked.map((gauge) => [gauge, []]));
    for (const row of rows) {
      const labels = new Map<Gauge<Row>['labelsOf'], string>();
      for (const gauge of asked) {
        const value = gauge.valueOf(row);
        if (value === undefined) continue;
        let text = labels.get(gauge.labelsOf);
        if (text === undefined) labels.set(gauge.labelsOf, (text = labelText(gauge.labelsOf(row))));
        parts.get(gauge)?.push(sampleLine(gauge.name, text, value));
      }
    }
    return new Map([...parts].map(([gauge, own]) => [gauge, own.join('')]));
  }

  #asked<Row>(gauges: readonly Gauge<Row>[]): Gauge<Row>[] {
    return gauges.filter(({ spelling }) => this.#spellings.includes(spelling));
  }
}

/** What tells the MIG instances of a node's pods apart from those that were there before. */
function identitiesOf(entries: readonly LedgerEntry[]): string {
  const reservations = entries.flatMap(({ migReservations }) => migReservations);
  return reservations.map(({ runtime }) => runtime?.migUuid ?? '').join();
}

function* pieces<T>(all: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
