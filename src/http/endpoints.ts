/**
 * Which routes answer on which address. With a cluster: HTTPS for the webhook, explanations, what-if questions, probes
 * and the extender as a Service; plain HTTP on loopback for a kube-scheduler in the same pod; metrics apart. With a
 * snapshot: all in one.
 */
import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Router } from 'express';
import { type ListenAddress, parseListenAddress } from '../config/listen-address.ts';
import { admissionRoute } from './admission-route.ts';
import { createApp } from './app.ts';
import { explainRoutes } from './explain-routes.ts';
import { extenderPaths, extenderRoutes } from './extender-routes.ts';
import { requireClientCertificate } from './client-certificate.ts';
import { listen, type Listener } from './listener.ts';
import { metricsRoute, probeRoutes, type Readiness } from './probe-routes.ts';
import { simulateRoute } from './simulate-route.ts';
import { type CertificateParts, clientAuthority, followCertificate, tlsMaterial } from './serving-tls.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import type { Scoring } from '../placement/scoring.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { DeviceState } from '../state/device-state.ts';

export interface ServedParts extends CertificateParts {
  readonly state: DeviceState;
  readonly scheduler: Scheduler;
  /** What judges where the policy is `fragmentation`, as of now. */
  readonly scoring?: () => Scoring;
  readonly readiness: Readiness;
  /** Among replicas, for whoever asks; where left out, there are none. */
  readonly role?: () => string | undefined;
  /** What the one that leads calls itself, where that is known. */
  readonly leader?: () => string | undefined;
  /** Whether the main address of separate ones is plain HTTP, too; then nothing on it is hidden from listeners. */
  readonly plainHttp?: boolean;
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
  const routes = [...mainRoutes(parts), extenderRoutes(extenderDeps(parts)), metricsRoute(parts.metrics)];
  return openListeners(parts, [{ purpose: 'main', address: address.value, routes, secure: !insecureHttp }]);
}

/** The addresses of a server in a cluster; an empty `listenExtender` or `listenMetrics` leaves that one out. */
export async function openSeparate(parts: ServedParts): Promise<Parsed<Endpoints>> {
  const { config } = parts;
  const planned = [
    {
      purpose: 'main',
      text: config.listen,
      routes: [...mainRoutes(parts), ...extenderForOthers(parts)],
      secure: parts.plainHttp !== true,
    },
    {
      purpose: 'extender',
      text: config.listenExtender,
      routes: [probeRoutes(parts.readiness, parts.role), extenderRoutes(extenderDeps(parts))],
      secure: false,
    },
    {
      purpose: 'metrics',
      text: config.listenMetrics,
      routes: [probeRoutes(parts.readiness, parts.role), metricsRoute(parts.metrics)],
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
  const { config, state, scheduler, scoring, readiness, role, metrics, log, clock } = parts;
  const policies = policiesFrom(config, state.vendors);
  const admission = {
    state,
    policies,
    schedulerNames: config.schedulerNames,
    forceOverwriteDefaultScheduler: config.forceOverwriteDefaultScheduler,
  };
  return [
    probeRoutes(readiness, role),
    admissionRoute({ admission, metrics, log, bodyLimitMiB: config.bodyLimitMiB }),
    explainRoutes({ scheduler, state, ...(role === undefined ? {} : { role }) }),
    simulateRoute({
      state,
      policies,
      ...(scoring === undefined ? {} : { scoring }),
      clock,
      letOthersRun,
      metrics,
      log,
      bodyLimitMiB: config.bodyLimitMiB,
    }),
  ];
}

/**
 * The extender on the main address, for a kube-scheduler in another pod. With one in the same pod nobody else has
 * business there; and where an authority for clients is configured, only those may call.
 */
function extenderForOthers(parts: ServedParts): readonly Router[] {
  const { config } = parts;
  if (config.listenExtender !== '') return [];
  const routes = extenderRoutes(extenderDeps(parts));
  return config.tls.clientCaFile === '' ? [routes] : [requireClientCertificate(extenderPaths), routes];
}

function extenderDeps({ config, scheduler, metrics, log, role, leader }: ServedParts) {
  const { bodyLimitMiB, hamiReasonCounters } = config;
  return {
    scheduler,
    metrics,
    log,
    bodyLimitMiB,
    hamiReasonCounters,
    ...(role === undefined ? {} : { role }),
    ...(leader === undefined ? {} : { leader }),
  };
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
  const clientCa = clientAuthority(config);
  if (!clientCa.ok) return clientCa;
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
        ...(clientCa.value === undefined ? {} : { clientCa: clientCa.value }),
      });
      opened.push({ purpose, secure, listener });
    } catch (error) {
      await closeAll();
      const cause = error instanceof Error ? error.message : String(error);
      return unparsable(`cannot listen on ${address.host}:${address.port} (${purpose}): ${cause}`);
    }
  }
  const secured = opened.filter(({ secure }) => secure).map(({ listener }) => listener);
  const stopWatching = tls === undefined ? () => undefined : followCertificate(parts, tls.value, secured);
  return parsed({
    urls: Object.fromEntries(opened.map(({ purpose, listener }) => [purpose, listener.url])),
    close: async () => {
      stopWatching();
      await closeAll();
    },
  });
}
