import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { filterResultText, hostPrioritiesText, type NodesFor } from '../../src/wire/extender-text.ts';

/** Mostly what names and reasons look like, and anything else a string can hold. */
const text = fc.oneof(
  fc.stringMatching(/^[a-z0-9.-]{1,20}$/),
  fc.constantFrom('node unregistered', '3/8 CardTypeMismatch, 1/8 NumaNotFit', '__proto__', '"', '\\', '\n'),
  fc.string({ unit: 'binary' }),
);
/** Keys whose JSON has no escapes: V8 13.6 parses some objects with escaped keys wrongly when it has seen others before. */
const key = text.filter((drawn) => JSON.stringify(drawn) === `"${drawn}"`);
const reasons = fc.uniqueArray(fc.tuple(key, text), { selector: ([node]) => node });
const nodes = fc.option(fc.record({ items: fc.array(fc.record({ metadata: fc.record({ name: text }) })) }));

/** As the server groups them: one list of names per reason. */
function byReason(entries: readonly (readonly [string, string])[]): readonly NodesFor[] {
  const groups = Map.groupBy(entries, ([, reason]) => reason);
  return [...groups].map(([reason, group]) => ({ reason, names: group.map(([name]) => name) }));
}

describe('the answer of filter as text', () => {
  it('is what JSON.stringify makes of the same answer', () => {
    fc.assert(
      fc.property(nodes, fc.option(fc.array(text)), reasons, reasons, text, (Nodes, NodeNames, ...rest) => {
        const [failed, unresolvable, Error] = rest;
        const whole = {
          Nodes,
          NodeNames,
          FailedNodes: Object.fromEntries(failed),
          FailedAndUnresolvableNodes: Object.fromEntries(unresolvable),
          Error,
        };
        const written = filterResultText({
          Nodes,
          NodeNames,
          failed: byReason(failed),
          unresolvable: byReason(unresolvable),
          Error,
        });
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(whole)));
      }),
      { numRuns: 1000 },
    );
  });

  it('is byte for byte that of the protocol', () => {
    expect(
      filterResultText({
        Nodes: null,
        NodeNames: ['n1', 'n2'],
        failed: [],
        unresolvable: [
          { reason: '1/2 CardInsufficientMemory, 1/2 CardTypeMismatch', names: ['n3', 'n5'] },
          { reason: 'nobody', names: [] },
          { reason: 'say "no"', names: ['n4'] },
          { reason: '', names: ['line\n', 'n6'] },
        ],
        Error: '',
      }),
    ).toBe(
      '{"Nodes":null,"NodeNames":["n1","n2"],"FailedNodes":{},"FailedAndUnresolvableNodes":' +
        '{"n3":"1/2 CardInsufficientMemory, 1/2 CardTypeMismatch",' +
        '"n5":"1/2 CardInsufficientMemory, 1/2 CardTypeMismatch","n4":"say \\"no\\"","line\\n":"","n6":""},"Error":""}',
    );
  });
});

describe('the answer of prioritize as text', () => {
  it('is what JSON.stringify makes of the same answer', () => {
    const priorities = fc.array(fc.record({ Host: text, Score: fc.integer({ min: 0, max: 10 }) }));
    fc.assert(
      fc.property(priorities, (answer) => {
        expect(hostPrioritiesText(answer)).toBe(JSON.stringify(answer));
      }),
      { numRuns: 1000 },
    );
  });
});
