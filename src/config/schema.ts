/**
 * The one JSON Schema of our configuration: types, defaults, bounds, and a description with the unit of every key.
 * The table in `docs/configuration.md` is made from it. Rules about more than one key are in `faults.ts`.
 */
import type { TesseraConfig } from './config.ts';
import { nvidiaSchema } from './schema-nvidia.ts';
import type { SectionSchema } from './setting-schema.ts';

/** Bindings start at least 5 s before kube-scheduler gives up; the rest is time to reach that point. */
const shortestTimeoutSeconds = 6;
const hour = 3600;

/** RFC 1123 subdomain, as Kubernetes names most of its objects. */
const objectName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';

const policyWord = '(binpack|spread|mutex)';

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    listen: {
      type: 'string',
      minLength: 1,
      default: '0.0.0.0:8443',
      description:
        'Address (`host:port`) of the HTTPS server: webhook, explanations, probes; extender verbs when kube-scheduler calls over a Service.',
    },
    listenExtender: {
      type: 'string',
      default: '127.0.0.1:8888',
      description:
        'Address of the plain HTTP server for the extender verbs of a kube-scheduler in the same pod. Empty: off.',
    },
    listenMetrics: {
      type: 'string',
      default: '0.0.0.0:9395',
      description: 'Address of the plain HTTP server for `/metrics`. Empty: off.',
    },
    schedulerNames: {
      type: 'array',
      items: { type: 'string', pattern: objectName },
      minItems: 1,
      uniqueItems: true,
      default: ['tessera-scheduler'],
      description: 'Scheduler names that are ours. Admission gives the first one to pods that ask for cards.',
    },
    forceOverwriteDefaultScheduler: {
      type: 'boolean',
      default: true,
      description: 'Whether pods that name `default-scheduler` themselves are taken over too.',
    },
    nodePolicy: {
      type: 'string',
      enum: ['binpack', 'spread'],
      default: 'binpack',
      description: 'Whether pods fill used nodes first or free ones. A pod annotation overrides it.',
    },
    devicePolicy: {
      type: 'string',
      pattern: `^\\s*${policyWord}(\\s*,\\s*${policyWord})*\\s*$`,
      default: 'spread',
      description:
        'Comma list of `binpack` or `spread` (which cards of a node come first) and `mutex` (only idle cards). A pod annotation overrides it.',
    },
    hamiReasonCounters: {
      type: 'boolean',
      default: false,
      description:
        "Whether reasons carry HAMi's card counters (`3/8 CardInsufficientMemory`). They change often, which makes kube-scheduler group refused pods worse.",
    },
    bodyLimitMiB: {
      type: 'integer',
      minimum: 1,
      maximum: 1024,
      default: 64,
      description:
        'Largest request body, in MiB. Needs room for full node lists where `nodeCacheCapable` is off.',
    },
    extenderTimeoutSeconds: {
      type: 'integer',
      minimum: shortestTimeoutSeconds,
      maximum: hour,
      default: 30,
      description:
        "The extender's `httpTimeout` in kube-scheduler's configuration, in seconds. No Binding starts later than 5 s before it.",
    },
    filterDeadlineMs: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description:
        'Time for one filter call, in ms. Past it the answer is an error, and the pod is tried again.',
    },
    prioritizeDeadlineMs: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'Time for one prioritize call, in ms. Past it all nodes score the same.',
    },
    keepAliveSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: hour,
      default: 100,
      description:
        'How long an idle connection stays open, in seconds. kube-scheduler keeps its own for 90 s.',
    },
    shutdownGraceSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: hour,
      default: 5,
      description: 'Time for calls in flight after a termination signal, in seconds.',
    },
    logLevel: {
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      description: 'Least severity that is logged.',
    },
    tls: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        certFile: {
          type: 'string',
          default: '',
          description:
            'PEM file of the serving certificate, leaf first, then its intermediates. Goes with `tls.keyFile`; empty: one is made, see `tls.secret`.',
        },
        keyFile: {
          type: 'string',
          default: '',
          description: 'PEM file of the private key of `tls.certFile`.',
        },
        names: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          uniqueItems: true,
          default: [],
          description:
            'DNS names and IP addresses of a certificate the server makes, beside `localhost` and loopback.',
        },
        clientCaFile: {
          type: 'string',
          default: '',
          description:
            'PEM file of the authority whose client certificates are needed for the extender verbs on `listen`, which answers them only where `listenExtender` is empty. Empty: anyone who reaches the address may call them.',
        },
        secret: {
          type: 'string',
          pattern: `^$|${objectName}`,
          default: '',
          description:
            "Secret in the server's own namespace in which it keeps an authority and a certificate it makes and renews itself. Empty: one made at start lives in memory only.",
        },
        webhookConfigurations: {
          type: 'array',
          items: { type: 'string', pattern: objectName },
          uniqueItems: true,
          default: [],
          description:
            'MutatingWebhookConfigurations whose `caBundle` the server keeps equal to the authorities in `tls.secret`.',
        },
      },
    },
    deviceConfigFile: {
      type: 'string',
      default: '',
      description: "Path of HAMi's `device-config.yaml`, read as it is. Empty: none.",
    },
    vendors: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: { nvidia: nvidiaSchema },
    },
  },
} as const satisfies SectionSchema<TesseraConfig>;
