/**
 * The certificate that HTTPS listeners serve: from files that may change, kept by somebody else, or made on the spot;
 * and the authority whose clients may call the extender.
 */
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import type { TesseraConfig } from '../config/config.ts';
import { readText } from '../config/yaml-text.ts';
import type { Clock } from '../model/clock.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Listener, TlsMaterial } from './listener.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';

export interface CertificateParts {
  readonly config: TesseraConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Served where the configuration names no files. */
  readonly certificate?: KeptCertificate;
}

/** A certificate that is made and renewed elsewhere. */
export interface KeptCertificate {
  readonly current: EndingMaterial;
  /** Calls `onChange` whenever another is to be served, until the returned function is called. */
  follow(onChange: (material: EndingMaterial) => void): () => void;
}

interface EndingMaterial extends TlsMaterial {
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** The authority in `tls.clientCaFile`, PEM; undefined when none is configured. */
export function clientAuthority({ tls }: TesseraConfig): Parsed<string | undefined> {
  if (tls.clientCaFile === '') return parsed(undefined);
  const text = readText(tls.clientCaFile);
  return text.ok ? text : unparsable(`tls.clientCaFile: ${tls.clientCaFile}: ${text.problem}`);
}

const selfMadeValidDays = 365;
const secondsPerDay = 86_400;

/** The configured certificate, or one made on the spot for the names that a test or a first try will use. */
export async function tlsMaterial(parts: CertificateParts): Promise<Parsed<TlsMaterial>> {
  const { config, clock, log, metrics, certificate } = parts;
  const { certFile, keyFile } = config.tls;
  if (certFile !== '') {
    const material = await readTlsFiles({ certFile, keyFile }, clock);
    if (!material.ok) return unparsable(`certificate ${certFile}: ${material.problem}`);
    metrics.certificateExpirySeconds.set(material.value.checked.notAfterMs / 1000);
    return material;
  }
  if (certificate !== undefined) {
    metrics.certificateExpirySeconds.set(certificate.current.notAfterMs / 1000);
    return parsed(certificate.current);
  }
  const nowMs = clock.nowMs();
  const names = madeForNames(config);
  const authority = await issueAuthority({ commonName: 'tessera', validDays: selfMadeValidDays, nowMs });
  const leaf = await issueLeaf({
    authority,
    names,
    validDays: selfMadeValidDays,
    nowMs,
  });
  if (!leaf.ok) return leaf;
  metrics.certificateExpirySeconds.set(nowMs / 1000 + selfMadeValidDays * secondsPerDay);
  log.warn({ names }, 'serving a certificate made at start, which no client trusts; see tessera certs');
  return leaf;
}

/** What a certificate of our own making is for: the configured names, and whoever tries it on this machine. */
export function madeForNames({ tls }: Pick<TesseraConfig, 'tls'>): readonly string[] {
  return [...new Set([...tls.names, 'localhost', '127.0.0.1', '::1'])];
}

const certificatePollMs = 5000;

/** Serves each new certificate as it comes, until the returned function is called. */
export function followCertificate(
  { config, clock, log, metrics, certificate }: CertificateParts,
  serving: TlsMaterial,
  listeners: readonly Listener[],
): () => void {
  const { certFile, keyFile } = config.tls;
  const use = (material: EndingMaterial) => {
    for (const listener of listeners) listener.useCertificate(material);
    metrics.certificateExpirySeconds.set(material.notAfterMs / 1000);
    log.info({ until: new Date(material.notAfterMs).toISOString() }, 'certificate replaced');
  };
  if (certFile === '') return certificate?.follow(use) ?? (() => undefined);
  return watchTlsFiles({
    files: { certFile, keyFile },
    serving,
    clock,
    intervalMs: certificatePollMs,
    onChange: (material) => {
      if (!material.ok) {
        log.warn({ certFile, reason: material.problem }, 'new certificate not taken, the former stays');
        return;
      }
      use({ ...material.value, notAfterMs: material.value.checked.notAfterMs });
    },
  });
}
