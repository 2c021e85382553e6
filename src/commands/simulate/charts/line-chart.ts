/**
 * Lines over one axis of demand or time: one per policy, the mean of its seeds, with a band from the lowest seed to the
 * highest. The legend beside the lines names them in the order of the caller.
 */
import type { PolicyName } from '../../../simulator/policy.ts';
import { chartStyle, colourOf, dashOf, marker } from './chart-style.ts';
import { linearScale, type Range, ticksOf } from './scale.ts';
import { element, escaped, pathOf, type Picture, svgPicture } from './svg.ts';

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface LineSeries {
  readonly policy: PolicyName;
  /** By rising x. */
  readonly points: readonly LinePoint[];
  /** Beside the name in the legend. */
  readonly note: string;
}

export interface Axis {
  readonly label: string;
  readonly range: Range;
}

export interface LineChart extends Pick<Picture, 'id' | 'title' | 'description'> {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
}

export const plotArea = { left: 60, right: 660, top: 16, bottom: 346 } as const;
const width = 890;
const height = 400;
const legendLeft = plotArea.right + 20;
const legendStep = 24;
/** A tick is marked by the point next to it, unless that is further away than this many pixels. */
const markReach = 6;

/** The chart as an `svg` element; with its own style where it stands alone. */
export function lineChart(chart: LineChart, place: 'page' | 'alone'): string {
  const { x, y, series } = chart;
  const toX = linearScale(x.range, [plotArea.left, plotArea.right]);
  const toY = linearScale(y.range, [plotArea.bottom, plotArea.top]);
  const xTicks = ticksOf(x.range, 15);
  const clip = `${chart.id}-plot`;
  return svgPicture(
    { ...chart, width, height },
    [
      element(
        'clipPath',
        { id: clip },
        element('rect', {
          x: plotArea.left,
          y: plotArea.top - 5,
          width: plotArea.right - plotArea.left + 5,
          height: plotArea.bottom - plotArea.top + 10,
        }),
      ),
      ...ticksOf(y.range, 8).map((value) => yTick(value, toY(value))),
      ...xTicks.map((value) => xTick(value, toX(value))),
      ...axes(x.label, y.label),
      element(
        'g',
        { 'clip-path': `url(#${clip})` },
        ...series.map(({ policy, points }) => band(policy, points, toX, toY)),
        // The first of the legend is painted last, on top.
        ...series.toReversed().map((line) => lineOf(line, { toX, toY, xTicks })),
      ),
      ...series.map(legendEntry),
    ],
    place === 'alone' ? chartStyle : undefined,
  );
}

type Scale = (value: number) => number;

function yTick(value: number, at: number): string {
  const { left, right } = plotArea;
  return [
    element('line', { class: 'grid', x1: left, x2: right, y1: at, y2: at }),
    element('text', { class: 'tick', x: left - 8, y: at + 4, 'text-anchor': 'end' }, escaped(String(value))),
  ].join('');
}

function xTick(value: number, at: number): string {
  const { bottom } = plotArea;
  return [
    element('line', { class: 'axis', x1: at, x2: at, y1: bottom, y2: bottom + 5 }),
    element(
      'text',
      { class: 'tick', x: at, y: bottom + 19, 'text-anchor': 'middle' },
      escaped(String(value)),
    ),
  ].join('');
}

function axes(xLabel: string, yLabel: string): readonly string[] {
  const { left, right, top, bottom } = plotArea;
  const middle = (top + bottom) / 2;
  return [
    element('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }),
    element('text', { x: (left + right) / 2, y: bottom + 42, 'text-anchor': 'middle' }, escaped(xLabel)),
    element(
      'text',
      { x: 16, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 16 ${middle})` },
      escaped(yLabel),
    ),
  ];
}

function band(policy: PolicyName, points: readonly LinePoint[], toX: Scale, toY: Scale): string {
  if (points.every(({ low, high }) => low === high)) return '';
  const upper = points.map(({ x, high }) => [toX(x), toY(high)] as const);
  const lower = points.map(({ x, low }) => [toX(x), toY(low)] as const).toReversed();
  return element('path', {
    d: `${pathOf([...upper, ...lower])}Z`,
    fill: colourOf(policy),
    'fill-opacity': 0.16,
    stroke: 'none',
  });
}

function lineOf(
  { policy, points, note }: LineSeries,
  { toX, toY, xTicks }: { readonly toX: Scale; readonly toY: Scale; readonly xTicks: readonly number[] },
): string {
  const marked = xTicks.flatMap((tick) => {
    const point = nearest(points, tick);
    const isNear = point !== undefined && Math.abs(toX(point.x) - toX(tick)) < markReach;
    return isNear ? [marker(policy, toX(point.x), toY(point.y))] : [];
  });
  return element(
    'g',
    {},
    element('title', {}, escaped(`${policy}: ${note}`)),
    element('path', {
      d: pathOf(points.map(({ x, y }) => [toX(x), toY(y)] as const)),
      fill: 'none',
      stroke: colourOf(policy),
      'stroke-width': 2,
      'stroke-dasharray': dashOf(policy),
      'stroke-linejoin': 'round',
    }),
    ...marked,
  );
}

function nearest(points: readonly LinePoint[], x: number): LinePoint | undefined {
  return points.reduce<LinePoint | undefined>(
    (best, point) => (best === undefined || Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best),
    undefined,
  );
}

function legendEntry({ policy, note }: LineSeries, index: number): string {
  const y = plotArea.top + 10 + index * legendStep;
  return [
    element('line', {
      x1: legendLeft,
      x2: legendLeft + 34,
      y1: y,
      y2: y,
      stroke: colourOf(policy),
      'stroke-width': 2,
      'stroke-dasharray': dashOf(policy),
    }),
    marker(policy, legendLeft + 17, y),
    element('text', { class: 'name', x: legendLeft + 42, y: y + 4 }, escaped(policy)),
    element('text', { class: 'tick', x: width - 6, y: y + 4, 'text-anchor': 'end' }, escaped(note)),
  ].join('');
}
