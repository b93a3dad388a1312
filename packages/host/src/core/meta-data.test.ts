import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkConfig } from './config-keys.ts';
import { metaDataText } from './meta-data.ts';
import { YAML_LENGTH_MAX } from './yaml-text.ts';

const set = (value: string, owner: 'instance' | 'profile' = 'instance') =>
  checkConfig({ 'user.meta-data': value }, owner);
const BROKEN = 'user.meta-data would make meta-data broken YAML: ';

describe('user.meta-data', () => {
  it.each([
    'a: 1',
    'public-keys:\n- ssh-ed25519 AAAA me\n',
    'instance-id: mine\nlocal-hostname: other\n',
    '# only a comment',
    '\n\na: 1',
    ' \n',
    'a: 1\r\nb: |\r\n  text\r\n',
    'a: &x [1]\nb: *x\n*x : c\n',
    'a: "{{ no template }}"',
    'a: 1\n...\n',
    'ü: 🦊',
    'a: \u0085',
  ])('accepts %j', (value) => {
    set(value);
    set(value, 'profile');
    const merged = parse(metaDataText('id', 'c1', value), { uniqueKeys: false, logLevel: 'silent' });
    expect(merged).toHaveProperty('local-hostname');
  });

  it.each([
    ['a: b: c', 'line 1: Nested mappings are not allowed in compact mappings'],
    ['a: 1\nb: "x', 'line 2: Missing closing "quote'],
    ['a: 1\n\n\tb: 1', 'line 3: Tabs are not allowed as indentation'],
    ['a: 1\na: 2', 'line 2: Map keys must be unique'],
    ['# why\n---\na: 1', 'line 2: a second document'],
    ['a: 1\n---\nb: 1', 'line 2: a second document'],
    ['foo', 'line 1: Implicit map keys need to be followed by map values'],
    ['- a', 'line 1: Implicit keys need to be on a single line'],
    ['{a: 1}', 'line 1: Implicit map keys need to be followed by map values'],
    [' foo', 'line 1: it continues the line before it'],
    ['  a: 1', 'line 1: Nested mappings are not allowed in compact mappings'],
    ['a: 1\nb: {{ x }}', 'line 2: a key that is not a scalar, perhaps braces without quotes'],
    ['a: 1\nb: *x', 'line 2: an unknown alias'],
    ['a: 1\nb: \x07', 'line 2: a control character'],
    [`a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'line 1: too deep nesting'],
  ])('refuses %.20j with the line', (value, problem) => {
    expect(() => set(value)).toThrow(BROKEN + problem);
  });

  it('has a limit of its own, because it is read at each edit', () => {
    set(`a: ${'x'.repeat(YAML_LENGTH_MAX - 3)}`);
    expect(() => set(`a: ${'x'.repeat(YAML_LENGTH_MAX)}`)).toThrow(
      `The maximum length of user.meta-data is ${YAML_LENGTH_MAX} characters`,
    );
  });

  it('is checked on profiles too', () => expect(() => set('- a', 'profile')).toThrow(BROKEN));

  it('is removed by the empty text', () => set(''));

  it('leaves instance-id and host name as they are, unless it sets them, whenever it is accepted', () => {
    const lines = fc.array(fc.constantFrom('a: 1', 'b: c', ' d: 1', '- e', 'f', ' g', '---', '"h', '#i', ''));
    fc.assert(
      fc.property(lines, (all) => {
        const value = all.join('\n');
        let accepted = true;
        try {
          set(value);
        } catch {
          accepted = false;
        }
        fc.pre(accepted);
        const read = parse(metaDataText('id', 'c1', value));
        expect(read).toMatchObject({ 'instance-id': 'id', 'local-hostname': 'c1' });
      }),
    );
  });

  it.each(['cloud-init.user-data', 'cloud-init.vendor-data', 'user.user-data', 'user.vendor-data'])(
    'does not make %s refuse odd texts',
    (key) => {
      for (const value of ['a: b: c', '#cloud-config\n\t- [', 'Content-Type: x\n\n\x07', '{{'])
        checkConfig({ [key]: value }, 'instance');
    },
  );
});
