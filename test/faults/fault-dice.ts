/**
 * Decides by chance, from the seed alone, which calls of the API go wrong and how, and how far behind watches are. It
 * counts what it did, so that a test can tell a suite that survives from one that was never hit.
 */
import { pickWeighted } from '../../src/emulator/demo-cluster-random.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import { apiStepOf } from './bind-steps.ts';
import type { RequestFault } from './request-faults.ts';

export interface FaultRates {
  /** Which faults, with their share of chance; none where empty. */
  readonly requests: readonly (readonly [weight: number, fault: RequestFault])[];
  /** Of the calls that binds make, and of all others. */
  readonly ofBindCalls: number;
  readonly ofOtherCalls: number;
}

export class FaultDice {
  readonly counts = new Map<string, number>();
  /** False once the faults are over. */
  isArmed = true;
  readonly #rates: FaultRates;
  readonly #random: () => number;
  /** Faults for the next calls of a step, which come before chance. */
  readonly #scripted: { readonly step: string; readonly fault: RequestFault }[] = [];

  constructor(rates: FaultRates, random: () => number) {
    this.#rates = rates;
    this.#random = random;
  }

  /** The next call of this step meets this fault. */
  script(step: string, fault: RequestFault): void {
    this.#scripted.push({ step, fault });
  }

  faultOf(request: RestRequest): RequestFault | undefined {
    const step = apiStepOf(request);
    const place = this.#scripted.findIndex((scripted) => scripted.step === step);
    if (place >= 0) return this.#count(this.#scripted.splice(place, 1)[0]?.fault);
    if (!this.isArmed) return undefined;
    const { requests, ofBindCalls, ofOtherCalls } = this.#rates;
    if (this.#random() >= (step === undefined ? ofOtherCalls : ofBindCalls)) return undefined;
    const possible = requests.filter(([, fault]) => fault !== 'conflict-409' || request.method !== 'GET');
    return possible.length === 0 ? undefined : this.#count(pickWeighted(possible, this.#random));
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #count(fault: RequestFault | undefined): RequestFault | undefined {
    if (fault !== undefined) this.count(fault);
    return fault;
  }
}
