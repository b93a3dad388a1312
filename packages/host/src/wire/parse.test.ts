import { describe, expect, test as it } from 'vitest';
import { z } from 'zod';
import { deviceChanges, devices, orElse, parse, stringChanges, strings, text } from './parse.ts';

describe('parse', () => {
  it('names the first field that is wrong', () => {
    const schema = z.object({ config: z.record(z.string(), z.string()) });
    expect(() => parse(schema, { config: { 'user.x': 1 } })).toThrow(/^config\.user\.x: .*string/);
  });

  it('refuses a value that is not an object with 400', () => {
    for (const value of [null, undefined, 1, 'x', [], true]) {
      expect(() => parse(z.object({ name: orElse(text, '') }), value)).toThrow(
        expect.objectContaining({ status: 400, code: 'bad-request' }),
      );
    }
  });

  it('treats null and a missing field as unset', () => {
    const schema = z.object({ list: orElse(z.array(text), ['none']) });
    expect(parse(schema, { list: null })).toEqual({ list: ['none'] });
    expect(parse(schema, {})).toEqual({ list: ['none'] });
    expect(parse(schema, { list: [] })).toEqual({ list: [] });
  });

  it('removes empty values of maps that replace others, but not of devices, whose option names are checked later', () => {
    expect(parse(strings, { a: '', b: '1' })).toEqual({ b: '1' });
    expect(parse(devices, { eth0: { type: 'nic', name: '' } })).toEqual({ eth0: { type: 'nic', name: '' } });
  });

  it('turns empty values of a merge into removals', () => {
    expect(parse(stringChanges, { a: '', b: '1', c: null })).toEqual({ a: null, b: '1', c: null });
  });

  it('refuses NUL bytes in keys and values', () => {
    expect(() => parse(strings, { 'a\0b': 'x' })).toThrow();
    expect(() => parse(strings, { a: 'x\0' })).toThrow(/NUL/);
  });

  it('keeps the key __proto__, which does not set a prototype', () => {
    const map = parse(strings, JSON.parse('{"__proto__": "x", "a": "b"}'));
    expect([Object.getPrototypeOf(map), Object.entries(map)]).toEqual([
      Object.prototype,
      [
        ['__proto__', 'x'],
        ['a', 'b'],
      ],
    ]);
    const changes = parse(deviceChanges, JSON.parse('{"__proto__": {"__proto__": "x", "a": ""}, "b": null}'));
    expect(JSON.stringify(changes)).toBe('{"__proto__":{"__proto__":"x","a":""},"b":null}');
  });

  it('names the key of a wrong entry, at every depth', () => {
    const schema = z.object({ devices });
    expect(() => parse(schema, JSON.parse('{"devices": {"a": {"__proto__": 1}}}'))).toThrow(
      'devices.a.__proto__: Invalid input: expected string, received number',
    );
    expect(() => parse(schema, { devices: { a: [] } })).toThrow(
      'devices.a: Invalid input: expected record, received array',
    );
    expect(() => parse(schema, { devices: { 'a\0': {} } })).toThrow(
      /^devices\.a\0: must not contain a NUL byte/,
    );
  });
});
