/** From figures to places on a picture, and the round figures that an axis names. */

export type Range = readonly [from: number, to: number];

/** Straight from one range to another, beyond their ends, too. A domain of no width goes to the range's start. */
export function linearScale([from, to]: Range, [start, end]: Range): (value: number) => number {
  const factor = to === from ? 0 : (end - start) / (to - from);
  return (value) => start + (value - from) * factor;
}

/** Round figures (steps of 1, 2 or 5 times a power of ten) within a range, `most` of them or fewer. */
export function ticksOf([from, to]: Range, most: number): readonly number[] {
  const step = roundStep((to - from) / Math.max(1, most - 1));
  if (!(step > 0) || !Number.isFinite(step)) return [from];
  const ticks: number[] = [];
  // Counted in whole steps, so that 0.1 + 0.2 does not show.
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index += 1) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

/** The range widened to the round figures around it. */
export function roundedOut([from, to]: Range, most: number): Range {
  const step = roundStep((to - from) / Math.max(1, most - 1));
  if (!(step > 0) || !Number.isFinite(step)) return [from, from + 1];
  return [Math.floor(from / step + 1e-9) * step, Math.ceil(to / step - 1e-9) * step];
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  if (!(least > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}
