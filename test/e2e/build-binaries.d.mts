/** Builds the real Kubernetes binaries, or finds them; see `build-binaries.mjs`. The values are paths. */
export function ensureBinaries(o?: {
  log?: (line: string) => void;
}): Promise<Record<'dir' | 'etcd' | 'kubeApiserver' | 'kubeScheduler' | 'kubectl' | 'helm', string>>;
