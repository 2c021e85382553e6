/**
 * How the plugin of one node behaves, so that tests can make it misbehave: from now on, or for the next call alone. A
 * call that hangs waits here until the standing behaviour is set to something else.
 */
export type PluginBehaviour =
  | 'serve'
  /** Allocate reports an error after it has found the pod. */
  | 'fail'
  /** Allocate does not answer; the node's lock stays. */
  | 'hang'
  /** The plugin dies inside Allocate: kubelet fails the pod, phase and lock stay as they are. */
  | 'crash'
  /** The final writes are sent a second time, later, as by a plugin that did not see their answer. */
  | 'answer-twice';

export class BehaviourSwitch {
  #standing: PluginBehaviour = 'serve';
  #next: PluginBehaviour | undefined;
  #waiting: (() => void)[] = [];

  /** From now on; calls that hang go on under it. */
  set(behaviour: PluginBehaviour): void {
    this.#standing = behaviour;
    this.#next = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** For the next call alone. */
  setNext(behaviour: PluginBehaviour): void {
    this.#next = behaviour;
  }

  /** What the call that begins now does. Resolves late for one that hangs. */
  async take(): Promise<Exclude<PluginBehaviour, 'hang'>> {
    let behaviour = this.#next ?? this.#standing;
    this.#next = undefined;
    while (behaviour === 'hang') {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      behaviour = this.#standing;
    }
    return behaviour;
  }
}
