/** A kubeconfig for the emulator, to be written to a file of its own: `kubectl --kubeconfig FILE get pods`. */
import { stringify } from 'yaml';

/** YAML with one cluster, user and context called `tessera-demo`; `authority` is the PEM to trust when it is HTTPS. */
export function kubeconfigFor(url: string, authority?: string): string {
  const name = 'tessera-demo';
  const trust =
    authority === undefined
      ? {}
      : { 'certificate-authority-data': Buffer.from(authority).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...trust } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}
