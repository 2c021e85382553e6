/**
 * What is lost while cards of a node are idle, in thousandths of a card: the measure whose fall a placement is judged by.
 * For the cards of one family, with R idle on them, P what that is worth at the prices of room, c the node's free CPU,
 *
 *   (0.11 + 0.07)·W·R − Σ w·(0.11·fit + 0.07·min(fit, c·n·d/cpu)) + (R − P) + 0.4·max(0, P − c/χ),
 *
 * where the sum is over the classes that fit on the node, with their weight w (W of all classes together), `fit` what is
 * idle on cards that fit the class, and n cards of d and `cpu` what one pod of it takes; χ is the CPU that goes with a
 * card. So it costs to have idle what few classes fit (the fragmentation of Weng et al., "Beware of Fragmentation",
 * USENIX ATC 2023), what the CPU is too short for, and room of sizes from which little can be cut. Nothing idle costs
 * nothing. The four factors were found by experiment on published traces.
 */
import type { Device } from '../../model/device.ts';
import type { CardRules } from '../../vendors/card-rules.ts';
import { type CardGroup, makeCardGroup } from './card-group.ts';
import { needOf } from './card-need.ts';
import { scaleOf, sizeOf } from './card-scale.ts';
import { roomPrices, wholeCard } from './cutting-stock.ts';
import type { GroupSums } from './node-picture.ts';
import type { VendorDemand } from './vendor-demand.ts';

const fitFactor = 0.11;
const supplyFactor = 0.07;
const cutFactor = 1;
const shapeFactor = 0.4;

/** A group with what the measure needs of its classes, in arrays of one length, by host CPU. */
export interface PricedGroup extends CardGroup {
  readonly allWeight: number;
  readonly cpuPerMilli: number;
  readonly cpu: Float64Array;
  readonly need: Int32Array;
  readonly count: Int32Array;
  /** Thousandths of cards that a pod takes for each thousandth of a core; infinite where it takes no CPU. */
  readonly milliPerCpu: Float64Array;
  readonly weight: Float64Array;
}

export function makePricedGroup(
  demand: VendorDemand,
  devices: readonly Device[],
  rules: CardRules | undefined,
): PricedGroup {
  const { classes: demanded, computeWeight, vendor } = demand;
  const group = makeCardGroup(vendor, devices, {
    classes: demanded.map(({ entry }) => entry),
    computeWeight,
    rules,
    roomPrices: (device) => roomPrices(ratesOn(device, demand, rules)),
  });
  const classes = group.classes.flatMap(({ position, need, milli }) => {
    const one = demanded[position];
    return one === undefined ? [] : [{ ...one, need, milli: milli * one.entry.count }];
  });
  return {
    ...group,
    allWeight: demand.weight,
    cpuPerMilli: demand.cpuPerMilli,
    cpu: Float64Array.from(classes, ({ entry }) => entry.cpuMilli),
    need: Int32Array.from(classes, ({ need }) => need),
    count: Int32Array.from(classes, ({ entry }) => entry.count),
    milliPerCpu: Float64Array.from(classes, ({ entry, milli }) => milli / entry.cpuMilli),
    weight: Float64Array.from(classes, ({ weight }) => weight),
  };
}

/** How often each size is asked of cards of a kind, when classes spread over the cards that they could be given. */
function ratesOn(
  device: Device,
  { classes, computeWeight }: VendorDemand,
  rules: CardRules | undefined,
): Float64Array {
  const rates = new Float64Array(wholeCard + 1);
  const scale = scaleOf(device, computeWeight);
  for (const { entry, popularity, access } of classes) {
    const need = needOf(entry, device, rules);
    if (need === undefined) continue;
    const size = sizeOf(scale, need.memoryMiB, need.cores);
    rates[size] = (rates[size] ?? 0) + (popularity * entry.count) / access;
  }
  return rates;
}

/** Over all families on a node; what they ask of its CPU is set against all of it, in proportion to what each asks. */
export function idlePrice(sums: readonly GroupSums<PricedGroup>[], freeCpuMilli: number): number {
  const cpu = Math.max(0, freeCpuMilli);
  const [only] = sums;
  if (sums.length === 1 && only !== undefined) return groupPrice(only, cpu, cpu);
  let wanted = 0;
  for (const { worthMilli, group } of sums) wanted += worthMilli * group.cpuPerMilli;
  let price = 0;
  for (const one of sums) {
    const part = wanted > 0 ? (one.worthMilli * one.group.cpuPerMilli) / wanted : 0;
    price += groupPrice(one, cpu, cpu * part);
  }
  return price;
}

/** @param ownCpu the part of the free CPU that goes with the family's cards */
function groupPrice(
  { group, idleMilli, worthMilli, fit, cards }: GroupSums<PricedGroup>,
  cpuMilli: number,
  ownCpu: number,
): number {
  if (idleMilli === 0) return 0;
  const { cpu, need, count, milliPerCpu, weight, allWeight, cpuPerMilli } = group;
  let useful = 0;
  for (let at = 0; at < cpu.length; at += 1) {
    if ((cpu[at] ?? 0) > cpuMilli) break;
    const index = need[at] ?? 0;
    if ((cards[index] ?? 0) < (count[at] ?? 0)) continue;
    const idle = fit[index] ?? 0;
    const fed = cpuMilli * (milliPerCpu[at] ?? 0);
    useful += (weight[at] ?? 0) * (fitFactor * idle + supplyFactor * (fed < idle ? fed : idle));
  }
  const useless = (fitFactor + supplyFactor) * idleMilli * allWeight - useful;
  const uncut = cutFactor * (idleMilli - worthMilli);
  const unfed = cpuPerMilli > 0 ? Math.max(0, worthMilli - ownCpu / cpuPerMilli) : 0;
  return useless + uncut + shapeFactor * unfed;
}
