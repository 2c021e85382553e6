/**
 * Which routes answer on which address. With a cluster: HTTPS for the webhook, explanations, probes and the extender as
 * a Service; plain HTTP on loopback for a kube-scheduler in the same pod; metrics apart. With a snapshot: all in one.
 */
import type { Router } from 'express';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import type { TesseraConfig } from '../config/config.ts';
import { type ListenAddress, parseListenAddress } from '../config/listen-address.ts';
import { admissionRoute } from './admission-route.ts';
import { createApp } from './app.ts';
import { explainRoutes } from './explain-routes.ts';
import { extenderRoutes } from './extender-routes.ts';
import { listen, type Listener, type TlsMaterial } from './listener.ts';
import { metricsRoute, probeRoutes, type Readiness } from './probe-routes.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';
import type { Clock } from '../model/clock.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ServedParts {
  readonly config: TesseraConfig;
  readonly state: DeviceState;
  readonly scheduler: Scheduler;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
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

export interface Endpoints {
  /** By purpose: `main`, and where they are separate `extender` and `metrics`. */
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const loopbackHosts = ['127.0.0.1', '::1', 'localhost'];

/** Everything on the one address `listen`; plain HTTP only where nobody else can listen in. */
export async function openAllInOne(parts: ServedParts, insecureHttp: boolean): Promise<Parsed<Endpoints>> {
  const { config } = parts;
  const address = parseListenAddress(config.listen);
  if (!address.ok) return address;
  if (insecureHttp && !loopbackHosts.includes(address.value.host)) {
    return unparsable(`--insecure-http serves loopback addresses only, not ${config.listen}`);
  }
  const routes = [...mainRoutes(parts), metricsRoute(parts.metrics)];
  return openListeners(parts, [{ purpose: 'main', address: address.value, routes, secure: !insecureHttp }]);
}

/** The addresses of a server in a cluster; an empty `listenExtender` or `listenMetrics` leaves that one out. */
export async function openSeparate(parts: ServedParts): Promise<Parsed<Endpoints>> {
  const { config } = parts;
  const planned = [
    { purpose: 'main', text: config.listen, routes: mainRoutes(parts), secure: true },
    {
      purpose: 'extender',
      text: config.listenExtender,
      routes: [probeRoutes(parts.readiness), extenderRoutes(extenderDeps(parts))],
      secure: false,
    },
    {
      purpose: 'metrics',
      text: config.listenMetrics,
      routes: [probeRoutes(parts.readiness), metricsRoute(parts.metrics)],
      secure: false,
    },
  ];
  const openings: Opening[] = [];
  for (const { text, ...opening } of planned) {
    if (text === '') continue;
    const address = parseListenAddress(text);
    if (!address.ok) return address;
    openings.push({ ...opening, address: address.value });
  }
  return openListeners(parts, openings);
}

function mainRoutes(parts: ServedParts): readonly Router[] {
  const { config, state, scheduler, readiness, metrics, log } = parts;
  const admission = {
    state,
    policies: policiesFrom(config),
    schedulerNames: config.schedulerNames,
    forceOverwriteDefaultScheduler: config.forceOverwriteDefaultScheduler,
  };
  return [
    probeRoutes(readiness),
    extenderRoutes(extenderDeps(parts)),
    admissionRoute({ admission, metrics, log, bodyLimitMiB: config.bodyLimitMiB }),
    explainRoutes({ scheduler, state }),
  ];
}

function extenderDeps({ config, scheduler, metrics, log }: ServedParts) {
  const { bodyLimitMiB, hamiReasonCounters } = config;
  return { scheduler, metrics, log, bodyLimitMiB, hamiReasonCounters };
}

interface Opening {
  readonly purpose: string;
  readonly address: ListenAddress;
  readonly routes: readonly Router[];
  readonly secure: boolean;
}

async function openListeners(parts: ServedParts, openings: readonly Opening[]): Promise<Parsed<Endpoints>> {
  const { config, log } = parts;
  const tls = openings.some(({ secure }) => secure) ? await tlsMaterial(parts) : undefined;
  if (tls?.ok === false) return tls;
  const opened: { readonly purpose: string; readonly secure: boolean; readonly listener: Listener }[] = [];
  const closeAll = async () => {
    await Promise.all(opened.map(({ listener }) => listener.close(config.shutdownGraceSeconds * 1000)));
  };
  for (const { purpose, address, routes, secure } of openings) {
    try {
      const listener = await listen({
        app: createApp(routes, log),
        ...address,
        keepAliveSeconds: config.keepAliveSeconds,
        ...(secure && tls !== undefined ? { tls: tls.value } : {}),
      });
      opened.push({ purpose, secure, listener });
    } catch (error) {
      await closeAll();
      const cause = error instanceof Error ? error.message : String(error);
      return unparsable(`cannot listen on ${address.host}:${address.port} (${purpose}): ${cause}`);
    }
  }
  const secured = opened.filter(({ secure }) => secure).map(({ listener }) => listener);
  const stopWatching = secured.length > 0 ? followCertificate(parts, secured) : () => undefined;
  return parsed({
    urls: Object.fromEntries(opened.map(({ purpose, listener }) => [purpose, listener.url])),
    close: async () => {
      stopWatching();
      await closeAll();
    },
  });
}

const selfMadeValidDays = 365;
const secondsPerDay = 86_400;

/** The configured certificate, or one made on the spot for the names that a test or a first try will use. */
async function tlsMaterial(parts: ServedParts): Promise<Parsed<TlsMaterial>> {
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

function followCertificate(
  { config, clock, log, metrics, certificate }: ServedParts,
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
