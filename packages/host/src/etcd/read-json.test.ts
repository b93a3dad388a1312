import { expect, it } from 'vitest';
import { readJson } from './read-json.ts';

it('reads an object', () => {
  expect(readJson('{"result":{}}')).toEqual({ result: {} });
});

it.each(['null', '1', '"text"', 'true', '', '{', '<html>'])('refuses what is no object: %j', (text) => {
  expect(() => readJson(text)).toThrow(SyntaxError);
});
