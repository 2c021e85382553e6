/** Amounts of sGPU memory in requests and in quotas (vendors §8.5, §8.10, §8.11). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quotaKeys, readLimit } from '../../src/state/quota-limit.ts';
import { parseSgpuMemory } from '../../src/vendors/metax/metax-sgpu-memory.ts';
import { exampleCard, sgpuLimits, sgpuVendor, sgpuWorld } from './metax-world.ts';

describe('an amount', () => {
  it.each([
    ['16', 16_384],
    ['0', 0],
    ['2097151', 2_147_482_624],
    // As somebody wrote it in a file that no API server has seen.
    ['1000', 1_024_000],
    ['16.0', 16_384],
    ['2048Mi', 2048],
    ['2Gi', 2048],
    ['0.5Gi', 512],
    ['1536Ki', 1],
    ['4G', 3814],
    ['3M', 2],
    ['4e9', 3814],
    ['0Gi', 0],
  ])('%s is %d MiB', (written, want) => {
    expect(parseSgpuMemory(written)).toEqual({ kind: 'mib', memoryMiB: want });
  });

  it.each([
    ['1k', 1000],
    ['4k', 4000],
    ['64k', 64_000],
    ['2M', 2_000_000],
  ])('%s may be %d GiB, because the API server writes it for a bare number', (written, want) => {
    expect(parseSgpuMemory(written)).toEqual({ kind: 'unclear', gib: want });
  });

  it.each([
    ['', 'is not a number'],
    ['all', 'is not a number'],
    ['-1', 'is negative'],
    ['-1Gi', 'is negative'],
    ['1.5', 'has a fraction'],
    ['500m', 'is less than 1 MiB'],
    ['1Ki', 'is less than 1 MiB'],
    ['4e3', 'is less than 1 MiB'],
    ['2097152', 'is too large'],
    ['2Pi', 'is too large'],
    ['8E', 'is too large'],
  ])('%j %s', (written, want) => {
    expect(parseSgpuMemory(written)).toMatchObject({
      kind: 'unreadable',
      fix: expect.stringContaining(want),
    });
  });

  it('means the same with its suffix as in GiB without', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_097_151 }), (gib) => {
        expect(parseSgpuMemory(`${gib}Gi`)).toEqual(parseSgpuMemory(String(gib)));
        expect(parseSgpuMemory(`${gib * 1024}Mi`)).toEqual(parseSgpuMemory(String(gib)));
      }),
    );
  });

  it('is an answer, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        expect(['mib', 'unclear', 'unreadable']).toContain(parseSgpuMemory(text).kind);
      }),
    );
  });
});

describe('a quota', () => {
  const [memory, cores] = quotaKeys([sgpuVendor!]);

  it('limits memory and compute', () => {
    expect([memory?.resource, cores?.resource]).toEqual([
      'limits.metax-tech.com/vmemory',
      'limits.metax-tech.com/vcore',
    ]);
    expect(readLimit('400', cores!)).toEqual({ limit: 400 });
  });

  it.each([
    ['a bare number is GiB', '64', { limit: 65_536 }],
    ['a suffix means bytes, as in a request; the reference limits nothing by it', '64Gi', { limit: 65_536 }],
    [
      'what the API server makes of 1000 is GiB: of many pods nobody would mean 1000 bytes',
      '1k',
      { limit: 1_024_000 },
    ],
    ['0 lets nobody have any', '0', { limit: 0 }],
    ['no amount sets no limit', 'x', { problem: expect.stringContaining('"x" is not a number') }],
  ])('%s', (_, written, want) => {
    expect(readLimit(written, memory!)).toEqual(want);
  });

  it('denies a pod beyond it, in GiB', () => {
    const world = sgpuWorld([exampleCard]);
    const hard = { 'limits.metax-tech.com/vmemory': '8Gi' };
    world.state.applyQuota({ namespace: 'default', name: 'q', resourceVersion: '1', hard });
    const admit = (amount: string) =>
      world.admit({ containers: [{ limits: sgpuLimits({ count: 1, memory: amount, cores: 10 }) }] });
    expect(admit('9')).toBe(
      'exceeding resource quota: pod asks for limits.metax-tech.com/vmemory 9, namespace default has used 0 of 8 (ResourceQuota "q")',
    );
    expect(admit('8192Mi')).toMatchObject({ kind: 'Pod' });
  });
});
