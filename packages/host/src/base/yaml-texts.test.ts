import { describe, expect, test as it } from 'vitest';
import { parseYamlTexts } from './yaml-texts.ts';

const valueAt = (scalar: string) => (parseYamlTexts(`key: ${scalar}\n`) as { key: unknown }).key;

describe('parseYamlTexts', () => {
  // Seen with lxc 5.0.2: `lxc profile edit` stores exactly these values.
  it.each(
    (
      'true false yes no on off y N True 2 1.50 1.0 0x10 0o17 0777 010 2024-01-02 2024-01-02T10:00:00Z 1:30 190:20:30 ' +
      '1_000 .inf -.inf .nan 1e3 1e400 12345678901234567890 +12 -0 = << 0b11 1.5e+3 .5 5.'
    ).split(' '),
  )('leaves a scalar as it is written: %s', (scalar) => expect(valueAt(scalar)).toBe(scalar));

  it.each([
    ['2024-01-02 10:00:00', '2024-01-02 10:00:00'],
    ['!!str 12', '12'],
    ['!!float 12', '12'],
    ['!!int "12"', '12'],
    ['"null"', 'null'],
    ['!!binary aGVsbG8=', 'hello'],
  ])('reads %s as the text that LXD reads', (scalar, text) => expect(valueAt(scalar)).toBe(text));

  it.each(['', '~', 'null', 'Null', 'NULL'])('reads %j as null', (scalar) =>
    expect(valueAt(scalar)).toBe(null),
  );

  it('merges maps, and takes names of the prototype for keys like any other', () => {
    const yaml = 'a: &a {constructor: x}\nb:\n  <<: *a\n  __proto__: {toString: 1}\n';
    expect(JSON.stringify(parseYamlTexts(yaml))).toBe(
      '{"a":{"constructor":"x"},"b":{"constructor":"x","__proto__":{"toString":"1"}}}',
    );
  });

  it.each(['a: 1\na: 2', 'a: 1\n---\nb: 2', 'a: [', 'a: *b'])('refuses %j', (yaml) => {
    expect(() => parseYamlTexts(yaml)).toThrow();
  });
});
