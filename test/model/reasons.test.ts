/** The closed list of reasons against the page that explains them: neither may know a code that the other does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  type CardReason,
  cardReasons,
  type NodeReason,
  nodeReasons,
  reasonCodes,
  type Refusal,
} from '../../src/model/reason.ts';
import { wireReason } from '../../src/scheduler/refusal-text.ts';

interface Section {
  readonly code: string;
  readonly wire: string | undefined;
  readonly text: string;
}

/** The page's third-level sections: heading, the text behind "On the wire:", and the paragraph below. */
function readSections(): readonly Section[] {
  const page = readFileSync(new URL('../../docs/reasons.md', import.meta.url), 'utf8');
  return page
    .split(/^#{2,3} /m)
    .slice(1)
    .filter((part) => part.includes('On the wire:'))
    .map((part) => {
      const [code = '', ...rest] = part.split('\n');
      const body = rest.join('\n');
      const wire = /^On the wire: `([^`]+)`$/m.exec(body)?.[1];
      return { code, wire, text: body.replace(/^On the wire:.*$/m, '').trim() };
    });
}

/** A refusal of each code, as a planner or filter would give it. */
const nodeExamples: Readonly<Record<NodeReason, Refusal>> = {
  NodeUnregistered: { code: 'NodeUnregistered' },
  NodeInsufficientDevice: {
    code: 'NodeInsufficientDevice',
    container: 'c',
    vendor: 'NVIDIA',
    wanted: 2,
    cards: 1,
  },
  NodeCountExhausted: { code: 'NodeCountExhausted', resource: 'nvidia.com/gpu', wanted: 2, free: 1 },
  AllocatedCardsInsufficientRequest: cardExample({}, 1),
  NodeClosed: { code: 'NodeClosed', pod: 'default/stray' },
  NodeBusy: { code: 'NodeBusy', expectedWaitMs: 20_000 },
  RequestInvalid: { code: 'RequestInvalid', problems: ['<what is wrong>'] },
};

function cardExample(refused: Partial<Record<CardReason, number>>, accepted: number): Refusal {
  return {
    code: 'AllocatedCardsInsufficientRequest',
    container: 'c',
    vendor: 'NVIDIA',
    wanted: 2,
    accepted,
    cards: 3,
    refused,
  };
}

describe('docs/reasons.md', () => {
  const sections = readSections();

  it('has one section for every code, in the order of the code, and no other', () => {
    expect(sections.map(({ code }) => code)).toEqual(reasonCodes);
    expect(new Set(reasonCodes).size).toBe(cardReasons.length + nodeReasons.length);
  });

  it.each(sections.map(({ code, text }) => ({ code, text })))(
    'explains $code in two sentences or more',
    ({ text }) => {
      expect(text.split(/[.:](?:\s|$)/).filter((sentence) => sentence.trim() !== '').length).toBeGreaterThan(
        1,
      );
    },
  );

  const wireOf = (wanted: string) => sections.find(({ code }) => code === wanted)?.wire;

  it.each(cardReasons)('names the word that the wire carries for %s', (reason) => {
    expect(wireOf(reason)).toBe(wireReason(cardExample({ [reason]: 3 }, 0), false));
  });

  it.each(nodeReasons)('names the text that the wire carries for %s', (reason) => {
    expect(wireOf(reason)).toBe(wireReason(nodeExamples[reason], false));
  });
});
