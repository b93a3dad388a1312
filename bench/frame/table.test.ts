import { describe, expect, it } from 'vitest';
import { readable, tableLines } from './table.ts';

describe('a table', () => {
  it('has columns as wide as their widest cells, names aligned left and numbers right', () => {
    expect(tableLines(['', 'one'], [['a', '1,000']])).toEqual(['     one', '-  -----', 'a  1,000']);
  });

  it('leaves the cells empty that a row lacks', () => {
    expect(tableLines(['x', 'y'], [['a']])[2]).toBe('a   ');
  });
});

describe('a readable number', () => {
  it.each([
    [0.01234, '0.012'],
    [1.2345, '1.23'],
    [12.345, '12.3'],
    [123.45, '123'],
    [123456.7, '123,457'],
  ])('%d is %s', (value, text) => {
    expect(readable(value)).toBe(text);
  });
});
