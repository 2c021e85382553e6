/**
 * The certificate that the server makes and renews itself. Every half minute it compares three things and heals what
 * differs: the Secret (deleted, damaged, due), the `caBundle` of the webhooks (overwritten, never set), and what it
 * serves. A running server puts a deleted Secret back as it was; one that starts without any makes a new authority.
 * Order is everything: no leaf is served before its authority was seen in place, unless there is none to go on with.
 */
import type { Clock } from '../model/clock.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import type { RestClient } from './rest-client.ts';
import {
  endOfLeaf,
  findLack,
  haveSameSigner,
  type Lack,
  noMaterial,
  type ServingMaterial,
  supply,
} from './serving-certificate-material.ts';
import { CertificateSecret } from './serving-certificate-secret.ts';
import { tellAuthorities, type Telling } from './serving-certificate-trust.ts';

export interface ServingCertificateOptions {
  readonly client: RestClient;
  readonly namespace: string;
  readonly secretName: string;
  readonly webhookConfigurations: readonly string[];
  /** DNS names and IP addresses to be served under. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface ServedCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** Twice in the minute within which drift should be gone. */
const checkEveryMs = 30_000;
const mostAttempts = 3;

export class ServingCertificate {
  readonly #options: ServingCertificateOptions;
  readonly #secret: CertificateSecret;
  readonly #listeners = new Set<(served: ServedCertificate) => void>();
  /** What went wrong last, by subject: said once, not twice a minute. */
  readonly #troubles = new Map<string, string>();
  #stored: ServingMaterial = noMaterial;
  #served: ServingMaterial = noMaterial;
  /** The bundle that all webhooks were found with, without our doing, at the last look. */
  #trusted: string | undefined;
  #cancel: () => void = () => undefined;
  #round: Promise<unknown> = Promise.resolve();
  #stopped = false;

  private constructor(options: ServingCertificateOptions) {
    const { client, namespace, secretName } = options;
    this.#options = options;
    this.#secret = new CertificateSecret(client, namespace, secretName);
  }

  /** Has a certificate when it resolves, and keeps it until stopped; refuses when there is none to be had. */
  static async open(options: ServingCertificateOptions): Promise<Parsed<ServingCertificate>> {
    const kept = new ServingCertificate(options);
    const upToDate = await kept.#keepSecret();
    if (!upToDate.ok && !kept.#canServe(kept.#stored)) {
      return unparsable(`Secret ${options.namespace}/${options.secretName}: ${upToDate.problem}`);
    }
    kept.#noteSecret(upToDate);
    await kept.#tellAndServe();
    kept.#scheduleRound();
    return parsed(kept);
  }

  get current(): ServedCertificate {
    const { certificate, key } = this.#served;
    return { certificate, key, notAfterMs: endOfLeaf(this.#served, this.#options.clock.nowMs()) };
  }

  /** Calls `onChange` with every certificate that replaces the current one, until the returned function is called. */
  follow(onChange: (served: ServedCertificate) => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  /** Ends the checks, and waits for one under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#round;
  }

  #scheduleRound(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(checkEveryMs, () => {
      this.#round = this.#checkAll();
    });
  }

  async #checkAll(): Promise<void> {
    this.#noteSecret(await this.#keepSecret());
    await this.#tellAndServe();
    this.#scheduleRound();
  }

  /** Brings the Secret up to date; `#stored` is then what it holds, or else the best that was found. */
  async #keepSecret(): Promise<Parsed<true>> {
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const reading = await this.#secret.read();
      if (reading.kind === 'failed') return unparsable(reading.message);
      const found = reading.kind === 'found' ? reading.material : noMaterial;
      const complete = await this.#complete(found);
      if (!complete.ok) return complete;
      const { material, lack } = complete.value;
      if (lack !== 'everything' && this.#canServe(found)) this.#stored = found;
      if (lack === 'nothing') return parsed(true);
      const writing =
        reading.kind === 'found'
          ? await this.#secret.replace(reading, material)
          : await this.#secret.create(material);
      if (writing.kind === 'failed') return unparsable(writing.message);
      if (writing.kind === 'outdated') continue;
      this.#options.log.info({ secret: this.#options.secretName, lack }, 'certificate written');
      this.#stored = material;
      return parsed(true);
    }
    return unparsable(`changed by others ${mostAttempts} times in a row`);
  }

  #canServe(material: ServingMaterial): boolean {
    const { clock } = this.#options;
    return endOfLeaf(material, clock.nowMs()) > clock.nowMs();
  }

  /** What the Secret should hold, and what it lacks of that. */
  async #complete(
    found: ServingMaterial,
  ): Promise<Parsed<{ readonly material: ServingMaterial; readonly lack: Lack }>> {
    const wanted = { names: this.#options.names, nowMs: this.#options.clock.nowMs() };
    const lackOf = (material: ServingMaterial) =>
      findLack(material, wanted, this.#trusted === material.authorities);
    const lack = lackOf(found);
    if (lack === 'nothing') return parsed({ material: found, lack });
    // A Secret that was deleted or damaged comes back as it was: its authority is trusted already.
    const base = lack === 'everything' && this.#stored !== noMaterial ? this.#stored : found;
    const rest = lackOf(base);
    if (rest === 'nothing') return parsed({ material: base, lack });
    const supplied = await supply(base, rest, wanted);
    return supplied.ok ? parsed({ material: supplied.value, lack }) : supplied;
  }

  async #tellAndServe(): Promise<void> {
    const asWas = await this.#tellAll(this.#stored.authorities);
    this.#trusted = asWas ? this.#stored.authorities : undefined;
    const { certificate, key } = this.#stored;
    if (certificate === this.#served.certificate && key === this.#served.key) return;
    const needsTrust = !asWas && !haveSameSigner(this.#served, this.#stored);
    if (needsTrust && this.#canServe(this.#served)) return;
    this.#served = this.#stored;
    for (const onChange of [...this.#listeners]) onChange(this.current);
  }

  /** Whether every webhook had the authorities before we came. */
  async #tellAll(authorities: string): Promise<boolean> {
    const { client, webhookConfigurations, log } = this.#options;
    let asWas = true;
    for (const configuration of webhookConfigurations) {
      const telling = await tellAuthorities(client, configuration, authorities);
      if (telling.kind === 'changed') log.info({ webhookConfiguration: configuration }, 'caBundle written');
      if (telling.kind === 'changed' || telling.kind === 'failed') asWas = false;
      this.#note(`MutatingWebhookConfiguration ${configuration}`, troubleOf(telling));
    }
    return asWas;
  }

  #noteSecret(upToDate: Parsed<true>): void {
    this.#note(`Secret ${this.#options.secretName}`, upToDate.ok ? undefined : upToDate.problem);
  }

  #note(subject: string, trouble: string | undefined): void {
    const { log } = this.#options;
    if (this.#troubles.get(subject) === trouble) return;
    if (trouble === undefined) {
      this.#troubles.delete(subject);
      log.info({ subject }, 'certificate trouble is over');
      return;
    }
    this.#troubles.set(subject, trouble);
    log.warn({ subject, reason: trouble }, 'certificate cannot be kept up to date');
  }
}

function troubleOf(telling: Telling): string | undefined {
  if (telling.kind === 'missing') return 'does not exist';
  return telling.kind === 'failed' ? telling.message : undefined;
}
