/**
 * A request class in words, for people and for labels of metrics: `2x8192MiB/30%` is two cards with 8192 MiB and 30 % of
 * the compute of each, `1x50%` one with half its memory and no compute promised. What is asked of the host is not in it.
 * Types that a pod's owner chose are told as the card types of the cluster that they accept, so that nothing a tenant
 * wrote gets into a label.
 */
import { compareText, type Device } from '../../model/device.ts';
import { acceptsType } from '../../vendors/selection.ts';
import type { RequestClass } from './request-class.ts';

const mostTypes = 3;

/** @param kinds one card at least of each type and mode in the cluster */
export function classWords(entry: RequestClass, kinds: Iterable<Device>): string {
  const { vendor, count, memory, corePercent } = entry;
  if (vendor === undefined) return 'no card';
  const size = memory.kind === 'mib' ? `${memory.memoryMiB}MiB` : `${memory.percent}%`;
  const cores = corePercent === 0 ? '' : `/${corePercent}%`;
  return `${count}x${size}${cores}${typeWords(entry, kinds)}`;
}

function typeWords({ vendor, selector }: RequestClass, kinds: Iterable<Device>): string {
  if (selector === undefined) return '';
  const accepted = new Set<string>();
  for (const device of kinds) {
    if (device.vendor === vendor && acceptsType(selector, device)) accepted.add(device.type);
  }
  const types = [...accepted].sort(compareText);
  if (types.length === 0) return ' of no type here';
  const others = types.length - mostTypes;
  return ` of ${types.slice(0, mostTypes).join(' or ')}${others > 0 ? ` or ${others} more` : ''}`;
}
