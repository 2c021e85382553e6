/**
 * The configuration as the rest of the house sees it: complete (every key has a value), checked and frozen. Names and
 * units are those of the file a user writes. What each key means, its default and its bounds stand once, in
 * `schema.ts`; the compiler holds the two together. Nothing here reads anything.
 */
import type { NodePolicy } from '../model/request.ts';
import type { VendorsConfig } from '../vendors/vendors.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** `best`: filter answers the first choice alone, for a kube-scheduler that is not told to ask prioritize. */
export type FilterAnswerForm = 'all' | 'best';

/** `process`: a key of this process takes the place of a Secret that may not be used. */
export type SealKeyPlace = 'secret' | 'process';

/** Which of HAMi's two sets of metric names stands beside ours. */
export type HamiMetrics = 'current' | 'legacy' | 'both' | 'off';

export interface TesseraConfig {
  /** Addresses as `parseListenAddress` reads them; the empty text switches the last two off. */
  readonly listen: string;
  readonly listenExtender: string;
  readonly listenMetrics: string;
  readonly schedulerNames: readonly string[];
  readonly forceOverwriteDefaultScheduler: boolean;
  readonly nodePolicy: NodePolicy;
  /** A comma list of words, read by the vendors' policy parser. */
  readonly devicePolicy: string;
  readonly fragmentation: FragmentationConfig;
  readonly hamiReasonCounters: boolean;
  readonly filterAnswer: FilterAnswerForm;
  /** Whether kube-scheduler asks the extender about preemption, so that a refusal may be called resolvable. */
  readonly preemptVerb: boolean;
  readonly hamiMetrics: HamiMetrics;
  readonly bodyLimitMiB: number;
  readonly extenderTimeoutSeconds: number;
  readonly filterDeadlineMs: number;
  readonly prioritizeDeadlineMs: number;
  readonly keepAliveSeconds: number;
  readonly shutdownDelaySeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly logLevel: LogLevel;
  /** `key=value` pairs that a managed node's labels must have; empty: any node. */
  readonly nodeLabelSelector: string;
  readonly nodeLockExpirySeconds: number;
  readonly auditSeconds: number;
  readonly seal: SealKeyPlace;
  readonly leaderElection: LeaderElectionConfig;
  readonly tls: TlsConfig;
  /** Path of HAMi's `device-config.yaml`; empty when there is none. */
  readonly deviceConfigFile: string;
  /** By block; what each holds stands beside its vendors. */
  readonly vendors: VendorsConfig;
}

/** By what the policy `fragmentation` judges, and what is measured of fragmentation. */
export interface FragmentationConfig {
  /** What pods ask for; empty: learnt from those that are seen. */
  readonly workload: readonly WorkloadEntry[];
  /** After so many further pods one that was seen counts half. */
  readonly halfLifePods: number;
  readonly refreshSeconds: number;
}

/** Pods of one kind. */
export interface WorkloadEntry {
  /** What counts the cards; empty: that of the first vendor. */
  readonly resource: string;
  readonly cards: number;
  /** Of each card; 0: `memoryPercent` of it. */
  readonly memoryMiB: number;
  readonly memoryPercent: number;
  /** Percent of each card. */
  readonly cores: number;
  /** Of the node. */
  readonly cpuMilli: number;
  readonly hostMemoryMiB: number;
  /** Fragments of card types, one of which must be in a card's; empty: any card. */
  readonly types: readonly string[];
  readonly weight: number;
}

/** Whose lease says who leads: that of the kube-scheduler beside us (spec §9.5), or one of the servers' own. */
export type LeaderElectionMode = 'follow' | 'campaign';

export interface LeaderElectionConfig {
  readonly enabled: boolean;
  readonly mode: LeaderElectionMode;
  /** Empty: the first scheduler name, with `-extender` behind it for a lease of our own. */
  readonly resourceName: string;
  /** Empty: the server's own namespace. */
  readonly resourceNamespace: string;
}

export interface TlsConfig {
  /** Both or neither; empty means "not given". */
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  /** PEM file of the authority whose clients may call the extender; empty: anyone may. */
  readonly clientCaFile: string;
  /** Name of a Secret in the server's own namespace; empty: the certificate made at start is kept in memory. */
  readonly secret: string;
  /** Names of MutatingWebhookConfigurations that are told the authority of the Secret. */
  readonly webhookConfigurations: readonly string[];
}
