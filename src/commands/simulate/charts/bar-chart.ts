/**
 * Lying bars in groups: how many of something each policy has, group by group. Every bar bears its name and its figure,
 * so that nothing hangs on colours.
 */
import type { PolicyName } from '../../../simulator/policy.ts';
import { chartStyle, colourOf } from './chart-style.ts';
import { linearScale } from './scale.ts';
import { element, escaped, type Picture, svgPicture } from './svg.ts';

export interface Bar {
  readonly policy: PolicyName;
  readonly value: number;
  /** The figure as it is written beside the bar. */
  readonly text: string;
}

export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
}

export interface BarChart extends Pick<Picture, 'id' | 'title' | 'description'> {
  readonly groups: readonly BarGroup[];
}

export const barArea = { left: 130, right: 800 } as const;
const width = 890;
const headHeight = 24;
const barStep = 18;
const barThickness = 12;
const groupGap = 12;
const top = 6;

/** The chart as an `svg` element; with its own style where it stands alone. */
export function barChart(chart: BarChart, place: 'page' | 'alone'): string {
  const { groups } = chart;
  const most = Math.max(0, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const toX = linearScale([0, most], [barArea.left, barArea.right]);
  const parts: string[] = [];
  let y = top;
  for (const { name, bars } of groups) {
    parts.push(element('text', { class: 'name', x: 0, y: y + 14 }, escaped(name)));
    y += headHeight;
    for (const bar of bars) {
      parts.push(barOf(bar, toX(bar.value), y));
      y += barStep;
    }
    y += groupGap;
  }
  return svgPicture(
    { ...chart, width, height: Math.max(y, 20) },
    parts,
    place === 'alone' ? chartStyle : undefined,
  );
}

function barOf({ policy, text }: Bar, end: number, y: number): string {
  const middle = y + barThickness / 2 + 4;
  return [
    element('text', { class: 'tick', x: barArea.left - 8, y: middle, 'text-anchor': 'end' }, escaped(policy)),
    element('rect', {
      x: barArea.left,
      y,
      width: Math.max(0, end - barArea.left),
      height: barThickness,
      rx: 2,
      fill: colourOf(policy),
    }),
    element('text', { x: end + 6, y: middle }, escaped(text)),
  ].join('');
}
