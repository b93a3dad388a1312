import { describe, expect, test as it } from 'vitest';
import { parseYamlTexts } from '../base/yaml-texts.ts';
import { renderYaml } from './tables.ts';

const QUOTED =
  'yes no on off y N true null ~ 1:30 1_000 0777 010 08 0x1F 0o17 0b11 1.50 1e3 .5 5. -0 2024-01-02 .inf -.Inf .nan = <<';
const PLAIN = 'yesterday x 1.2.3 10.0.0.1/24 08.x a:b v1.0 2.5.1-rc 1,000 -x 1:2:x 2024-01 =x <<x _1';

describe('YAML', () => {
  it.each(QUOTED.split(' '))('has quotes around %s, as a value and as a key', async (text) => {
    expect(await renderYaml({ [text]: text })).toBe(`"${text}": "${text}"`);
  });

  it.each(PLAIN.split(' '))('has no quotes around %s', async (text) => {
    expect(await renderYaml({ [text]: text })).toBe(`${text}: ${text}`);
  });

  it('keeps blanks and empty lines at both ends, also of the last value', async () => {
    for (const text of ['x\n\n', '\n', ' \n', '\nx', '\tx', 'x\ty', 'x\t\n', '  in\nout', '\ufeff', '\ufffe'])
      expect(parseYamlTexts(`${await renderYaml({ text })}\n`)).toEqual({ text });
  });
});
