/** The server's own device state, which tells when a bind is about to change it and when it has. */
import { DeviceState, type DeviceStateOptions } from '../../src/state/device-state.ts';
import type { CrashPoint } from './bind-steps.ts';

export class ObservedState extends DeviceState {
  readonly #onPoint: (point: CrashPoint) => void;

  constructor(options: DeviceStateOptions, onPoint: (point: CrashPoint) => void) {
    super(options);
    this.#onPoint = onPoint;
  }

  override assume(inputs: Parameters<DeviceState['assume']>[0]): void {
    this.#onPoint('assume/before');
    super.assume(inputs);
    this.#onPoint('assume/after');
  }

  override confirm(podUid: string): void {
    this.#onPoint('confirm/before');
    super.confirm(podUid);
    this.#onPoint('confirm/after');
  }

  override cancel(podUid: string): void {
    this.#onPoint('cancel/before');
    super.cancel(podUid);
    this.#onPoint('cancel/after');
  }
}
