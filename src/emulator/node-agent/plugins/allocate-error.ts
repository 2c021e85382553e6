/** How a call of Allocate ends without devices: refused with a reason, or left unanswered by a plugin that died. */
import { isAgentApiError } from '../agent-api.ts';
import type { AllocateAnswer } from './node-plugin.ts';

/** Allocate cannot give what it was asked for. */
export class AllocateError extends Error {
  override readonly name = 'AllocateError';
  readonly code = 'ALLOCATE';
}

/** The plugin's process died inside Allocate: nothing more is written. */
export class PluginGoneError extends Error {
  override readonly name = 'PluginGoneError';
  readonly code = 'PLUGIN_GONE';
}

/** What kubelet is told of an error; bugs are thrown on. */
export function refusal(error: unknown): AllocateAnswer {
  if (error instanceof PluginGoneError) return { kind: 'refused', message: 'the device plugin went away' };
  if (error instanceof AllocateError || isAgentApiError(error)) {
    return { kind: 'refused', message: error.message };
  }
  throw error;
}

export function rethrowBugs(error: unknown): void {
  if (!isAgentApiError(error)) throw error;
}
