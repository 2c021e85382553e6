/** Certificates such as only others make: any field and extension, signed with an RSA key. */
import { sign } from 'node:crypto';
import forge from 'node-forge';

/** PEM of the certificate that `describe` fills in. Node signs: forge's own arithmetic takes seconds under jest. */
export function makeForeignCertificate(
  signerKey: string,
  describe: (certificate: forge.pki.Certificate) => void,
): string {
  const certificate = forge.pki.createCertificate();
  certificate.serialNumber = '01';
  describe(certificate);
  const signer = {
    sign: () => {
      const body = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), 'latin1');
      return sign('sha256', body, signerKey).toString('latin1');
    },
  };
  certificate.sign(signer as unknown as forge.pki.rsa.PrivateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}
