/** Kubeconfig files for the run's users, who prove themselves with tokens from the API server's token file. */
import { stringify } from 'yaml';

export interface User {
  readonly name: string;
  readonly token: string;
  readonly groups: readonly string[];
}

export function kubeconfigText(
  server: string,
  ca: string,
  { name, token }: Pick<User, 'name' | 'token'>,
): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'e2e', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: name } }],
    'current-context': 'e2e',
  });
}

/** Lines of kube-apiserver's `--token-auth-file`: token, user, uid, groups. */
export function tokenFileText(users: readonly User[]): string {
  return users.map(({ name, token, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`).join('');
}
