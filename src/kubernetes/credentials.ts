/**
 * Where the API server is and how to be let in, from a kubeconfig that was named or from the pod's service account.
 * The client library reads both and knows the ways to authenticate (tokens, client certificates, exec plugins, OIDC);
 * this is the only file that calls it for that, and it is loaded on the first call because that takes half a second.
 * $KUBECONFIG and ~/.kube/config are never read: nobody's current context is used by accident.
 */
import { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { readFile } from 'node:fs/promises';
import type { KubeConfig, User } from '@kubernetes/client-node';
import type { Environment } from '../config/environment.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { ApiAccess, Authorization, TlsMaterial } from './api-access.ts';
import { errorText } from './error-text.ts';

export type CredentialSource =
  /** A kubeconfig that the user named, in its own current context unless another is named, too. */
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context?: string }
  /** The service account that Kubernetes mounts into a pod. */
  | {
      readonly kind: 'in-cluster';
      readonly environment: Environment;
      /** Where the account is mounted; the usual place where left out. */
      readonly directory?: string;
    };

export interface ClusterCredentials extends ApiAccess {
  /** The context's or service account's own namespace, where the source names one. */
  readonly namespace?: string;
}

type ClientLibrary = Pick<typeof import('@kubernetes/client-node'), 'KubeConfig'>;

/** What was read of a source, once. */
interface Loaded {
  readonly config: KubeConfig;
  readonly server: string;
  readonly namespace?: string;
}

const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads a source and authenticates once, so that a missing file or a failing plugin is told at the start. Refuses with
 * a sentence that names the source and the fault. Never throws.
 */
export async function loadCredentials(source: CredentialSource): Promise<Parsed<ClusterCredentials>> {
  try {
    const library = await import('@kubernetes/client-node');
    const first = await load(library, source);
    const credentials = new ReloadingCredentials(first, () => load(library, source));
    await credentials.authorize();
    return parsed(credentials);
  } catch (error) {
    return unparsable(`${placeOf(source)}: ${errorText(error)}`);
  }
}

/** Reads the source anew after the server has refused what was read of it before; the server stays the same. */
class ReloadingCredentials implements ClusterCredentials {
  readonly server: string;
  readonly namespace?: string;
  readonly #load: () => Promise<Loaded>;
  #loaded: Loaded | undefined;
  /** The authentication under way, shared by all who ask meanwhile, so that a plugin runs once. */
  #pending: Promise<Authorization> | undefined;

  constructor(first: Loaded, load: () => Promise<Loaded>) {
    this.server = first.server;
    if (first.namespace !== undefined) this.namespace = first.namespace;
    this.#loaded = first;
    this.#load = load;
  }

  authorize(): Promise<Authorization> {
    this.#pending ??= this.#authorize().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  renew(): void {
    this.#loaded = undefined;
  }

  async #authorize(): Promise<Authorization> {
    this.#loaded ??= await this.#load();
    const { config, server } = this.#loaded;
    if (server !== this.server) throw new Error(`now names the server ${server}; restart to use it`);
    return authorizationFrom(config);
  }
}

async function load(library: ClientLibrary, source: CredentialSource): Promise<Loaded> {
  const config = new library.KubeConfig();
  const namespace =
    source.kind === 'kubeconfig' ? loadFile(config, source) : await loadServiceAccount(config, source);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw new Error(`the cluster of context ${config.getCurrentContext()} is missing`);
  if (!URL.canParse(server)) throw new Error(`the server ${JSON.stringify(server)} is not an address`);
  return { config, server, ...(namespace === undefined ? {} : { namespace }) };
}

/** Answers the context's namespace. */
function loadFile(
  config: KubeConfig,
  { path, context }: Extract<CredentialSource, { kind: 'kubeconfig' }>,
): string | undefined {
  config.loadFromFile(path);
  const names = config.getContexts().map(({ name }) => name);
  const wanted = context ?? config.getCurrentContext();
  // Undefined, whatever the library's types say, when the file has none.
  if (!wanted) throw new Error(`has no current context; name one of ${names.join(', ')}`);
  if (!names.includes(wanted)) throw new Error(`has no context ${wanted}, only ${names.join(', ')}`);
  config.setCurrentContext(wanted);
  if (!canAuthenticate(config.getCurrentUser())) {
    throw new Error(`context ${wanted}: its user has no token, client certificate, plugin or password`);
  }
  return config.getContextObject(wanted)?.namespace;
}

/** An anonymous client would get no further than a refusal that does not tell why. */
function canAuthenticate(user: User | null): boolean {
  if (user === null) return false;
  const ways: readonly unknown[] = [
    user.token,
    user.certData,
    user.certFile,
    user.exec,
    user.authProvider,
    user.username,
  ];
  return ways.some(Boolean);
}

/** Answers the namespace of the pod that we run in. */
async function loadServiceAccount(
  config: KubeConfig,
  { environment, directory = serviceAccountDirectory }: Extract<CredentialSource, { kind: 'in-cluster' }>,
): Promise<string> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '') {
    throw new Error('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod');
  }
  config.loadFromClusterAndUser(
    {
      name: 'in-cluster',
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      caFile: `${directory}/ca.crt`,
      skipTLSVerify: false,
    },
    // The library reads the file again every minute; kubelet replaces it long before the token ends.
    {
      name: 'service-account',
      authProvider: { name: 'tokenFile', config: { tokenFile: `${directory}/token` } },
    },
  );
  return (await readFile(`${directory}/namespace`, 'utf8')).trim();
}

async function authorizationFrom(config: KubeConfig): Promise<Authorization> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new Error(`cannot authenticate: ${errorText(error).trim()}`, { cause: error });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token read from a file ends in a line feed, which no header may hold.
    if (typeof value === 'string') headers[name] = value.trim();
  }
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const proxied = (config.getCurrentCluster()?.proxyUrl ?? '') !== '';
  return {
    headers,
    tls: tlsMaterialFrom(options),
    // Without a proxy the client's own pool serves, which follows certificates that change.
    ...(proxied && options.agent instanceof Agent ? { agent: options.agent } : {}),
  };
}

function tlsMaterialFrom(options: RequestOptions): TlsMaterial {
  const { passphrase, servername, rejectUnauthorized } = options;
  const ca = pemOf(options.ca);
  const cert = pemOf(options.cert);
  const key = pemOf(options.key);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

/** The library sets text or bytes, never the lists that the options' type allows. */
function pemOf(value: unknown): string | Buffer | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined;
}

function placeOf(source: CredentialSource): string {
  return source.kind === 'kubeconfig' ? `kubeconfig ${source.path}` : 'service account';
}
