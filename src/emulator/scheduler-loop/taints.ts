/** Taints of nodes and tolerations of pods; only effects that keep a pod away count, preferences do not. */
import { textAt } from '../api/json.ts';

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface Toleration {
  /** Empty, with the operator `Exists`: every taint. */
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  /** Empty: every effect. */
  readonly effect: string;
}

export function readTaint(value: unknown): Taint {
  return { key: textAt(value, 'key'), value: textAt(value, 'value'), effect: textAt(value, 'effect') };
}

export function readToleration(value: unknown): Toleration {
  return {
    key: textAt(value, 'key'),
    operator: textAt(value, 'operator') || 'Equal',
    value: textAt(value, 'value'),
    effect: textAt(value, 'effect'),
  };
}

const excludingEffects = ['NoSchedule', 'NoExecute'];

/** Whether no taint keeps the pod away. */
export function tolerates(tolerations: readonly Toleration[], taints: readonly Taint[]): boolean {
  return taints
    .filter(({ effect }) => excludingEffects.includes(effect))
    .every((taint) => tolerations.some((toleration) => covers(toleration, taint)));
}

function covers({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== '' && operator === 'Equal' && value === taint.value;
}
