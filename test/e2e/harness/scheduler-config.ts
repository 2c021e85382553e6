/**
 * Makes a KubeSchedulerConfiguration usable in the run: the file stays as it is shipped but for what depends on the
 * place, namely the scheduler's credentials, the extender's address and the files for its TLS.
 */
import { parse, stringify } from 'yaml';

export interface SchedulerSurroundings {
  readonly kubeconfig: string;
  /** Replaces scheme, host and port of every extender's `urlPrefix`; they stay where it is left out. */
  readonly extenderUrl?: string;
  /** Replaces these fields of the extenders' `tlsConfig`. */
  readonly extenderTls?: ExtenderTls;
}

/** Paths of PEM files. */
export interface ExtenderTls {
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

interface ConfigFields {
  readonly clientConnection?: object;
  readonly extenders?: readonly ExtenderFields[];
}

interface ExtenderFields {
  readonly urlPrefix: string;
  readonly tlsConfig?: object;
}

/** A profile like kube-scheduler's own, for runs without an extender. */
export const plainSchedulerConfig = stringify({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
});

export function adaptSchedulerConfig(text: string, surroundings: SchedulerSurroundings): string {
  const { kubeconfig, extenderUrl, extenderTls } = surroundings;
  const config = parse(text) as ConfigFields;
  const extenders = config.extenders?.map((extender) => ({
    ...extender,
    urlPrefix:
      extenderUrl === undefined
        ? extender.urlPrefix
        : extenderUrl + new URL(extender.urlPrefix).pathname.replace(/^\/$/, ''),
    ...(extenderTls === undefined ? {} : { tlsConfig: { ...extender.tlsConfig, ...extenderTls } }),
  }));
  return stringify({
    ...config,
    clientConnection: { ...config.clientConnection, kubeconfig },
    ...(extenders === undefined ? {} : { extenders }),
  });
}
