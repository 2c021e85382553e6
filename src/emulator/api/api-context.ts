/** What every part of the API works with, made once by `server.ts`. */
import type { Clock } from '../../model/clock.ts';
import type { Admission } from './admission.ts';
import type { Identifiers } from './identifiers.ts';
import type { ObjectStore } from './store.ts';

export interface ApiContext {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly admission: Admission;
  /** Whether a Binding's labels are merged into the pod, as v1.35 and later do, or dropped, as earlier ones did. */
  readonly copiesBindingLabels: boolean;
}
