import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyCharacter } from '../base/testing/any-text.ts';
import { readState } from './state-body.ts';

const read = (text: string) => readState(Buffer.from(text));

it.each([
  ['{"state":"Ready"}', true],
  ['{"state":"Started"}', false],
  [' \n{"other":[1,{"state":1}],"STATE":"Ready"} trailing', true],
  ['{"state":"Ready"}{"state":"bogus"}', true],
  ['{"state":"Started","State":"Ready"}', true],
  ['{"state":"Ready","State":null}', true],
])('reads %j', (text, ready) => {
  expect(read(text)).toEqual({ kind: 'state', ready });
});

it.each([
  ['', 'EOF'],
  [' \r\n\t', 'EOF'],
  ['{"state":"Ready"', 'unexpected EOF'],
  ['"', 'unexpected EOF'],
  ['state=Ready', 'invalid JSON'],
  ['{state:"Ready"}', 'invalid JSON'],
  ['}', 'invalid JSON'],
  ['{"state":"Ready",}', 'invalid JSON'],
  ['[]', 'not a JSON object'],
  ['"Ready"', 'not a JSON object'],
  ['1', 'not a JSON object'],
  ['{"state":1}', 'state is not a string'],
  ['{"state":{}}', 'state is not a string'],
])('takes %j for an invalid body: %s', (text, reason) => {
  expect(read(text)).toEqual({ kind: 'invalid-body', reason });
});

it.each([
  ['null', '""'],
  ['{}', '""'],
  ['{"state":null}', '""'],
  ['{"state":"ready"}', '"ready"'],
  ['{"state":"a\\"b\\n\\u0000"}', '"a\\"b\\n\\u0000"'],
])('takes %j for the invalid state %s', (text, quoted) => {
  expect(read(text)).toEqual({ kind: 'invalid-state', quoted });
});

it('quotes a state on one line of limited length', () => {
  const body = fc.string({ unit: anyCharacter, maxLength: 600 }).map((state) => JSON.stringify({ state }));
  fc.assert(
    fc.property(body, (text) => {
      const state = read(text);
      if (state.kind !== 'invalid-state') return;
      expect(state.quoted.length).toBeLessThan(2000);
      expect(state.quoted).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    }),
  );
});

it('never throws, for any bytes and any depth of nesting', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readState(Buffer.from(bytes))));
  expect(read('['.repeat(500_000)).kind).toBe('invalid-body');
  expect(read(`${'['.repeat(500_000)}${']'.repeat(500_000)}`).kind).toBe('invalid-body');
});
