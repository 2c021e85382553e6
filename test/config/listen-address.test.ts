import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canClash, parseListenAddress } from '../../src/config/listen-address.ts';

describe('parseListenAddress', () => {
  const good = [
    { name: 'reads an IPv4 address', text: '127.0.0.1:8080', want: { host: '127.0.0.1', port: 8080 } },
    { name: 'takes no host for all addresses', text: ':9395', want: { host: '0.0.0.0', port: 9395 } },
    { name: 'reads IPv6 in brackets', text: '[::1]:80', want: { host: '::1', port: 80 } },
    { name: 'reads a name', text: 'localhost:1', want: { host: 'localhost', port: 1 } },
    { name: 'allows port 0', text: '127.0.0.1:0', want: { host: '127.0.0.1', port: 0 } },
    { name: 'allows the last port', text: ':65535', want: { host: '0.0.0.0', port: 65535 } },
  ];
  it.each(good)('$name', ({ text, want }) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: want });
  });

  const bad = [
    { name: 'refuses no text', text: '' },
    { name: 'refuses a port alone', text: '8080' },
    { name: 'refuses a host alone', text: '127.0.0.1' },
    { name: 'refuses an empty port', text: '127.0.0.1:' },
    { name: 'refuses a port past the last', text: ':65536' },
    { name: 'refuses a negative port', text: ':-1' },
    { name: 'refuses a fraction', text: ':80.5' },
    { name: 'refuses IPv6 without brackets', text: '::1:80' },
    { name: 'refuses a URL', text: 'http://localhost:80' },
    { name: 'refuses spaces', text: ' :80' },
    { name: 'refuses a line after it', text: ':80\n' },
  ];
  it.each(bad)('$name', ({ text }) => {
    const answer = parseListenAddress(text);
    expect(answer).toMatchObject({ ok: false, problem: expect.stringContaining('host:port') as unknown });
  });

  it('reads back every IPv4 address and port', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat({ max: 65535 }), (host, port) => {
        expect(parseListenAddress(`${host}:${port}`)).toEqual({ ok: true, value: { host, port } });
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseListenAddress(text).ok === 'boolean'));
  });
});

describe('canClash', () => {
  const cases = [
    { name: 'the same address clashes', one: '127.0.0.1:80', other: '127.0.0.1:80', want: true },
    { name: 'all addresses clash with one of them', one: ':80', other: '127.0.0.1:80', want: true },
    { name: 'one address clashes with all of IPv6', one: '[::1]:80', other: '[::]:80', want: true },
    { name: 'different ports do not', one: ':80', other: ':81', want: false },
    { name: 'different hosts do not', one: '127.0.0.1:80', other: '127.0.0.2:80', want: false },
    { name: 'ports that the system chooses do not', one: ':0', other: ':0', want: false },
  ];
  it.each(cases)('$name', ({ one, other, want }) => {
    const [first, second] = [one, other].map((text) => {
      const address = parseListenAddress(text);
      if (!address.ok) throw new Error(address.problem);
      return address.value;
    });
    expect(canClash(first!, second!)).toBe(want);
    expect(canClash(second!, first!)).toBe(want);
  });
});
