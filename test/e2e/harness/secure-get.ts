/** Asks a server of the run over TLS, as who trusts one authority does: nothing is answered by an impostor. */
import { request } from 'node:https';
import { json } from 'node:stream/consumers';

/** The JSON at an HTTPS address. Rejects when the authority did not sign the certificate, or the answer is not 200. */
export function getSecurely(url: string, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ca }, (response) => {
      if (response.statusCode === 200) json(response).then(resolve, reject);
      else {
        response.resume();
        reject(new Error(`${url}: HTTP ${response.statusCode ?? 0}`));
      }
    });
    asked.on('error', reject);
    asked.end();
  });
}
