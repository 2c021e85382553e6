/**
 * The one JSON Schema of our configuration: types, defaults, bounds, and a description with the unit of every key.
 * The table in `docs/configuration.md` is made from it. Rules about more than one key are in `faults.ts`.
 */
import type { TesseraConfig } from './config.ts';
import { fragmentationSettings } from './fragmentation-settings.ts';
import { vendorSettings } from '../vendors/vendors.ts';
import type { SectionSchema } from '../wire/setting-schema.ts';

/** Bindings start at least 5 s before kube-scheduler gives up; the rest is time to reach that point. */
const shortestTimeoutSeconds = 6;
const hour = 3600;

/** RFC 1123 subdomain, as Kubernetes names most of its objects. */
export const objectName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';

const policyWord = '(binpack|spread|mutex|numa|topology-aware)';

/** `key=value`, each as Kubernetes takes labels; a value may be empty. */
const labelPair =
  '([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?=([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?';
export const labelPairs = `^$|^${labelPair}(,${labelPair})*$`;

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
      enum: ['binpack', 'spread', 'fragmentation'],
      default: 'binpack',
      description:
        'Whether pods fill used nodes first or free ones, or go where what is left stays of most use to the pods to come (docs/fragmentation.md). A pod annotation overrides it.',
    },
    devicePolicy: {
      type: 'string',
      pattern: `^\\s*${policyWord}(\\s*,\\s*${policyWord})*\\s*$`,
      default: 'spread',
      description:
        'Which cards of a node come first: `binpack`, `spread` or `numa`, or a comma list of them in order of weight; `mutex` takes only idle cards, `topology-aware` the best linked ones. A pod annotation overrides it.',
    },
    fragmentation: fragmentationSettings,
    hamiReasonCounters: {
      type: 'boolean',
      default: false,
      description:
        "Whether reasons carry HAMi's card counters (`3/8 CardInsufficientMemory`). They change often, which makes kube-scheduler group refused pods worse.",
    },
    filterAnswer: {
      type: 'string',
      enum: ['all', 'best'],
      default: 'all',
      description:
        "Whether filter answers every node that fits, for prioritize to rank, or only the best one, for a kube-scheduler whose configuration has no `prioritizeVerb`, as HAMi's.",
    },
    preemptVerb: {
      type: 'boolean',
      default: false,
      description:
        "Whether `preemptVerb` is set in kube-scheduler's configuration. Nodes that evictions could free are then reported as resolvable. Only for kube-scheduler v1.38 or later: earlier ones take that as an error of preemption.",
    },
    hamiMetrics: {
      type: 'string',
      enum: ['current', 'legacy', 'both', 'off'],
      default: 'current',
      description:
        "Which metric names of HAMi's scheduler are served beside ours: those since its v2.9 (`hami_…`), those before, both, or none.",
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
    shutdownDelaySeconds: {
      type: 'integer',
      minimum: 0,
      maximum: hour,
      default: 0,
      description:
        'How long a server that was told to end goes on answering, in seconds: not ready and leading no longer, so that Services send their callers elsewhere before nobody answers here. The chart says 5.',
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
    nodeLabelSelector: {
      type: 'string',
      pattern: labelPairs,
      default: '',
      description:
        'Comma list of `label=value`: only nodes that have them all are managed, others count as unregistered. Empty: every node with cards.',
    },
    nodeLockExpirySeconds: {
      type: 'integer',
      minimum: 1,
      default: 300,
      description:
        'Age, in seconds, from which a node lock that names no pod is taken for left over. A lock that names one is judged by that pod, whatever its age.',
    },
    auditSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 24 * hour,
      default: 300,
      description:
        'Time between two audits of the ledger against the API server, in seconds; each lists all nodes and pods once. 0: none.',
    },
    seal: {
      type: 'string',
      enum: ['secret', 'process'],
      default: 'secret',
      description:
        'Where the key lives that tells our own allocations from what others wrote: a Secret, without which the server does not start, or, where RBAC forbids that Secret, this process alone. Then a restart charges earlier pods the larger of annotation and own request.',
    },
    leaderElection: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        enabled: {
          type: 'boolean',
          default: false,
          description:
            'Whether a lease says which replica leads; the others follow, answer everything, and bind nothing. Off: the server always leads.',
        },
        mode: {
          type: 'string',
          enum: ['follow', 'campaign'],
          default: 'follow',
          description:
            'Whose lease: `follow` that of the kube-scheduler in the same pod, whose role is then ours; `campaign` for one of our own, where kube-scheduler runs elsewhere.',
        },
        resourceName: {
          type: 'string',
          pattern: `^$|${objectName}`,
          default: '',
          description:
            'Name of the lease. Empty: the first of `schedulerNames`, followed by `-extender` where the server campaigns.',
        },
        resourceNamespace: {
          type: 'string',
          pattern: `^$|${objectName}`,
          default: '',
          description: "Namespace of the lease. Empty: the server's own.",
        },
      },
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
      properties: vendorSettings,
    },
  },
} as const satisfies SectionSchema<TesseraConfig>;
