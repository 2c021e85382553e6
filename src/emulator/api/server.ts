/**
 * An embedded Kubernetes API for the demo and for tests: one process, memory only, no controllers, no authentication,
 * loopback only. It behaves as an API server of the v1.36 line where Tessera and `kubectl` look, which the contract
 * suite in `test/contract/` checks against both; it is a tool, not a Kubernetes, and nobody should run work on it.
 */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { PemPair } from '../../certificates/pem.ts';
import type { Clock } from '../../model/clock.ts';
import { makeAdmission } from './admission.ts';
import { sendFailure } from './answers.ts';
import { timestamp } from './api-object.ts';
import { discoveryRoutes } from './discovery.ts';
import { Faults } from './faults.ts';
import { makeIdentifiers } from './identifiers.ts';
import { OpenWatches } from './open-watches.ts';
import { podRoutes } from './pod-routes.ts';
import { resourceRoutes, type RouteDeps } from './resource-routes.ts';
import { namespaces, resources } from './resources.ts';
import { unknownResource } from './status.ts';
import { ObjectStore } from './store.ts';
import type { ServiceResolver } from './webhook-call.ts';

export interface EmulatorAppOptions {
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1: for UIDs and generated names. */
  readonly random: () => number;
  /** Changes kept for each resource; a watch from before them is answered with 410. */
  readonly historyLimit?: number;
  readonly bookmarkSeconds?: number;
  /** Unsent bytes at which the client of a watch is cut off. */
  readonly watchBufferBytes?: number;
  /** Where Services of webhooks listen; without it only webhooks with a URL can be called. */
  readonly resolveService?: ServiceResolver;
  /** False for the ways of servers before v1.35, which dropped a Binding's labels. */
  readonly copiesBindingLabels?: boolean;
}

export interface EmulatorApp {
  readonly app: Express;
  readonly store: ObjectStore;
  readonly faults: Faults;
  readonly openWatches: OpenWatches;
}

const defaultHistoryLimit = 4096;
const defaultBookmarkSeconds = 60;
const defaultWatchBufferBytes = 16 * 1024 * 1024;
/** Beyond etcd's bound of 1.5 MiB for one object, so that no body of use is refused. */
const bodyLimitBytes = 3 * 1024 * 1024;

const initialNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** The API without a socket. */
export function createEmulatorApp(options: EmulatorAppOptions): EmulatorApp {
  const { clock, random } = options;
  const store = new ObjectStore(options.historyLimit ?? defaultHistoryLimit);
  const identifiers = makeIdentifiers(random);
  const faults = new Faults(clock);
  const openWatches = new OpenWatches();
  const resolve = options.resolveService ?? (() => undefined);
  const deps: RouteDeps = {
    store,
    clock,
    identifiers,
    admission: makeAdmission({ store, clock, identifiers, resolve }),
    copiesBindingLabels: options.copiesBindingLabels ?? true,
    openWatches,
    bookmarkSeconds: options.bookmarkSeconds ?? defaultBookmarkSeconds,
    watchBufferBytes: options.watchBufferBytes ?? defaultWatchBufferBytes,
  };
  for (const name of initialNamespaces) {
    const metadata = { name, uid: identifiers.uid(), creationTimestamp: timestamp(clock.nowMs()) };
    store.put(namespaces.collection, namespaces.rules.create?.({ metadata }) ?? { metadata });
  }

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(faults.middleware);
  app.use(express.raw({ type: () => true, limit: bodyLimitBytes }));
  app.use(discoveryRoutes());
  app.use(podRoutes(deps));
  for (const resource of resources) app.use(resourceRoutes(resource, deps));
  app.use(() => {
    throw unknownResource();
  });
  app.use(sendFailure);
  return { app, store, faults, openWatches };
}

export interface EmulatorOptions extends EmulatorAppOptions {
  /** A loopback address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** HTTPS with this certificate; plain HTTP without. */
  readonly tls?: PemPair;
}

export interface Emulator extends Omit<EmulatorApp, 'app'> {
  /** Where it answers, e.g. `http://127.0.0.1:34567`. */
  readonly url: string;
  /** Cuts every connection and frees the port. May be called twice. */
  close(): Promise<void>;
}

/** Longer than clients keep their idle connections, so that none meets a closing socket. */
const keepAliveMs = 120_000;

/** Listens. Rejects when the address is not on loopback or cannot be had. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { host = '127.0.0.1', port = 0, tls } = options;
  if (!isLoopback(host)) {
    throw new Error(`the emulator asks nobody who they are, so it listens on loopback only, not on ${host}`);
  }
  const { app, store, faults, openWatches } = createEmulatorApp(options);
  const listener: RequestListener = app;
  const server: Server =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ cert: tls.certificate, key: tls.key }, listener);
  server.keepAliveTimeout = keepAliveMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${taken}`,
    store,
    faults,
    openWatches,
    close: () => closeServer(server),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeAllConnections();
  await closed;
}
