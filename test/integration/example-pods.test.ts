/** The pods of the README, as their files, on the machines of the demo: what people try first must work. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { demoNodes } from '../../src/emulator/demo-cluster.ts';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { partsOf } from './scenarios/pods.ts';
import { ScenarioCluster } from './scenarios/scenario-cluster.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const files = readdirSync(fileOf('examples/pods')).map((name) => ({
  name,
  text: readFileSync(fileOf(`examples/pods/${name}`), 'utf8'),
}));

it.each(files)('examples/pods/$name is in the README word for word', ({ text }) => {
  expect(readFileSync(fileOf('README.md'), 'utf8')).toContain(text);
});

it('all run on the machines of the demo, with the cards that they ask for', async () => {
  const embedded = await EmbeddedCluster.start(demoNodes(12));
  const cluster = await ScenarioCluster.follow(embedded.client);
  try {
    await cluster.create(...files.map(({ text }) => parse(text) as object));
    const cardsOf = async (name: string) =>
      partsOf(await cluster.running(name)).map((parts) =>
        parts.map(({ memoryMiB, corePercent }) => [memoryMiB, corePercent]),
      );
    expect(await cardsOf('inference')).toEqual([[[8192, 30]]]);
    expect(await cardsOf('pipeline')).toEqual([[[2000, 0]], [[expect.any(Number), 0]]]);
    const [whole = []] = await cardsOf('training');
    expect(whole.map(([, cores]) => cores)).toEqual([100, 100]);
    const { spec } = await cluster.running('training');
    expect(spec.nodeName).toMatch(/^[ah]100-/);
  } finally {
    await cluster.stop();
    await embedded.stop();
  }
});
