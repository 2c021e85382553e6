/** A kubeconfig for the emulator, to be written to a file of its own: `kubectl --kubeconfig FILE get pods`. */
import { stringify } from 'yaml';

/** YAML with one cluster, user and context called `tessera-demo`; `authority` is the PEM to trust when it is HTTPS. */
export function kubeconfigFor(url: string, authority?: string): string {
  const name = 'tessera-demo';
  const trust =
    authority === undefined
      ? // Plain HTTP vouches for nobody, and our own client wants that said.
        { 'insecure-skip-tls-verify': true }
      : { 'certificate-authority-data': Buffer.from(authority).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...trust } }],
    // The emulator asks nobody who they are; clients of ours want to be somebody.
    users: [{ name, user: { token: 'anybody' } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}
