import { describe, expect, it } from '@jest/globals';
import { type CardLink, formatLinkScores } from '../../../src/emulator/node-agent/link-scores.ts';
import { devicesOf, type NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { makeDevice } from '../../support/views.ts';

function machineWith(links: readonly CardLink[], publishesLinkScores = true): NodeDescription {
  const gpus = [0, 0, 1].map((numa, index) => ({
    id: `GPU-${index}`,
    type: 'NVIDIA A10',
    memoryMiB: 1,
    numa,
  }));
  return { name: 'n1', cpu: '8', memory: '32Gi', gpus, links, plugin: { publishesLinkScores } };
}

const scoresOf = (links: readonly CardLink[]) =>
  devicesOf(machineWith(links), 'NVIDIA').map(({ linkScores = [] }) => Object.fromEntries(linkScores));

describe('the links of cards', () => {
  it('are those of their NUMA nodes where nothing else is said', () => {
    expect(scoresOf([])).toEqual([
      { 'GPU-1': 20, 'GPU-2': 10 },
      { 'GPU-0': 20, 'GPU-2': 10 },
      { 'GPU-0': 10, 'GPU-1': 10 },
    ]);
  });

  const cases: { name: string; link: Omit<CardLink, 'cards'>; want: number }[] = [
    { name: 'host bridge', link: { path: 'PHB' }, want: 30 },
    { name: 'several switches', link: { path: 'PXB' }, want: 40 },
    { name: 'one switch', link: { path: 'PIX' }, want: 50 },
    { name: 'one board', link: { path: 'BOARD' }, want: 60 },
    { name: 'NVLinks beside the path', link: { nvlinks: 2 }, want: 210 },
    { name: 'the most NVLinks', link: { nvlinks: 18 }, want: 1810 },
    { name: 'more than that', link: { nvlinks: 19 }, want: 10 },
  ];
  it.each(cases)('count $name both ways (spec §1.4)', ({ link, want }) => {
    const [first, , third] = scoresOf([{ cards: [2, 0], ...link }]);
    expect([first?.['GPU-2'], third?.['GPU-0']]).toEqual([want, want]);
  });

  it('are not told by a plugin that is not asked to', () => {
    const [device] = devicesOf(machineWith([], false), 'NVIDIA');
    expect(device).not.toHaveProperty('linkScores');
  });
});

it('the annotation is that of spec §1.4, byte for byte', () => {
  const device = (id: string, scores: Readonly<Record<string, number>>) =>
    makeDevice({ id, linkScores: new Map(Object.entries(scores)) });
  const devices = [
    device('GPU-0', { 'GPU-3': 200, 'GPU-2': 100, 'GPU-1': 100 }),
    device('GPU-1', { 'GPU-0': 100, 'GPU-2': 200, 'GPU-3': 100 }),
  ];
  expect(formatLinkScores(devices)).toBe(
    '[{"uuid":"GPU-0","score":{"GPU-1":100,"GPU-2":100,"GPU-3":200}},{"uuid":"GPU-1","score":{"GPU-0":100,"GPU-2":200,"GPU-3":100}}]',
  );
});
