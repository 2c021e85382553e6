import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseHostName } from '../../src/certificates/host-name.ts';

describe('parseHostName', () => {
  const good = [
    {
      name: 'reads a Service name',
      text: 'tessera.tessera.svc',
      want: { kind: 'dns', name: 'tessera.tessera.svc' },
    },
    { name: 'reads a single label', text: 'localhost', want: { kind: 'dns', name: 'localhost' } },
    {
      name: 'reads a wildcard in front',
      text: '*.example.com',
      want: { kind: 'dns', name: '*.example.com' },
    },
    { name: 'ignores case', text: 'A.Example', want: { kind: 'dns', name: 'a.example' } },
    {
      name: 'reads a name that begins with digits',
      text: '10-0-0-1.pod',
      want: { kind: 'dns', name: '10-0-0-1.pod' },
    },
    { name: 'reads an IPv4 address', text: '127.0.0.1', want: { kind: 'ip', address: '127.0.0.1' } },
    { name: 'reads an IPv6 address', text: '::1', want: { kind: 'ip', address: '::1' } },
  ];
  it.each(good)('$name', ({ text, want }) => {
    expect(parseHostName(text)).toEqual({ ok: true, value: want });
  });

  const bad = [
    { name: 'refuses no text', text: '' },
    { name: 'refuses a mistyped address', text: '10.0.0.999' },
    { name: 'refuses an address with a zone', text: 'fe80::1%eth0' },
    { name: 'refuses a port', text: 'localhost:443' },
    { name: 'refuses a URL', text: 'https://localhost' },
    { name: 'refuses a wildcard elsewhere', text: 'a.*.example' },
    { name: 'refuses a lone wildcard', text: '*' },
    { name: 'refuses a dot at the end', text: 'example.com.' },
    { name: 'refuses an empty label', text: 'a..b' },
    { name: 'refuses a hyphen at the end of a label', text: 'a-.b' },
    { name: 'refuses a label of 64 letters', text: 'a'.repeat(64) },
    { name: 'refuses a name of 254 letters', text: 'a.'.repeat(126) + 'bc' },
    { name: 'refuses spaces', text: 'a b' },
  ];
  it.each(bad)('$name', ({ text }) => {
    expect(parseHostName(text)).toEqual({
      ok: false,
      problem: `${JSON.stringify(text)} is neither a DNS name nor an IP address`,
    });
  });

  it('takes every domain and address there is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseHostName(text).ok).toBe(true);
      }),
    );
  });
});
