/**
 * A self-signed ECDSA certificate for `ec.example`, from the end of 2026 on for a century, and its key. Such pairs come
 * from other issuers; ours makes RSA only. Made for these tests with openssl, and protecting nothing.
 */
import type { PemPair } from '../../src/certificates/pem.ts';

export const ecPair: PemPair = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUYDzY1rljVqNE91lC/5/91vGeyM0wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKZWMuZXhhbXBsZTAgFw0yNjExMjEwODUzMDZaGA8yMTI2MTAy
ODA4NTMwNlowFTETMBEGA1UEAwwKZWMuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHnIO5eE2xUdgroUvppIlqVJ3g2QRe3tKqOQP6r5bmcpE54Ktl73
l0PGU/H46+qCNh+OCzKBcgKfVS1RlKPKHSajZzBlMB0GA1UdDgQWBBSlRf0BQWSe
iOTcdughQ3yQQFB38zAfBgNVHSMEGDAWgBSlRf0BQWSeiOTcdughQ3yQQFB38zAM
BgNVHRMBAf8EAjAAMBUGA1UdEQQOMAyCCmVjLmV4YW1wbGUwCgYIKoZIzj0EAwID
SAAwRQIgMclmRtsh+OsUTGwNVgij13gw8Uo/CGEsTC9FE/DRGJYCIQCnLaMevK27
8GZnYYQYepeekvoAzJULwCzehhNpK2V5Tg==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTS2pePnUex6kbVrW
gBRQ70k/BzKHiC2E3/J66NYKIYGhRANCAAR5yDuXhNsVHYK6FL6aSJalSd4NkEXt
7SqjkD+q+W5nKROeCrZe95dDxlPx+OvqgjYfjgsygXICn1UtUZSjyh0m
-----END PRIVATE KEY-----
`,
};
