import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../base/testing/any-text.ts';
import { mergedConfig } from './ssh-keys.ts';

const KEY = { 'cloud-init.ssh-keys.k': 'root:gh:u1' };
const userData = (text: string, keys = KEY) => {
  const { config, warnings } = mergedConfig({ ...keys, 'cloud-init.user-data': text });
  return { text: config.get('cloud-init.user-data') ?? '', warnings };
};
const HEADER = '## template: jinja\n#cloud-config\n';
const ROOT = 'users:\n- name: root\n  ssh_import_id:\n  - gh:u1 #lxd:cloud-init.ssh-keys\n';

describe('ssh keys in a template', () => {
  it.each([
    ['', ROOT],
    ['# nothing yet\n\n', `# nothing yet\n${ROOT}\n`],
    ['b: 1\na: {{ v1.region }}\n', `${ROOT}b: 1\na: {{ v1.region }}\n`],
    ['# why\n\nb:   [ {{x}}, "{{ \'}}\' }}" ]', `# why\n\n${ROOT}b:   [ {{x}}, "{{ '}}' }}" ]`],
    ['---\nruncmd:\n- echo {{x|d("}")}} # c\n', `---\n${ROOT}runcmd:\n- echo {{x|d("}")}} # c\n`],
    ['b: |+\n  {{ x }}\n\n', `${ROOT}b: |+\n  {{ x }}\n\n`],
    [
      'a: {{ x }}\nusers: [default, root] # who\nz: {{ y }}\n',
      `a: {{ x }}\nusers:\n- default\n${ROOT.slice('users:\n'.length)}# who\nz: {{ y }}\n`,
    ],
    [
      'users:\n- default\n- name: root\n  shell: /bin/sh\n# next\nz: {{ y }}',
      `users:\n- default\n- name: root\n  shell: /bin/sh\n${ROOT.slice('users:\n- name: root\n'.length)}# next\nz: {{ y }}`,
    ],
    ['users: ""\nz: {{ y }}\n', `${ROOT}z: {{ y }}\n`],
    ['z: {{ y }}\nusers: bob', `z: {{ y }}\nusers:\n- bob\n${ROOT.slice('users:\n'.length)}`],
    ['a: &a 1\nusers: [*a, root]\nb: *a\n', undefined],
    ['users: [&a default]\nb: *a\nc: {{ x }}\n', undefined],
    ['{{ x }}: 1\n', undefined],
    ['a: {{ x }}\nusers: [{{ y }}]\n', undefined],
    ['a: {{ x }}\nusers: [{name: "{{ y }}"}]\n', undefined],
    ['{% if x %}\nusers: []\n{% endif %}\n', undefined],
    ['a: 1\n{# a comment\nusers: [] #}\n', undefined],
    ['a: {{ x\n  }}\n', undefined],
    ['a: {{- x }}\n', undefined],
    ['a: {{ x -}}\nb: 1\n', undefined],
    ['a: {{ {"b": 1}["b"] }}\n', undefined],
    ['a: "{{ \\"x\\" }}"\n', undefined],
    ['{a: 1}\n', undefined],
    ['  a: 1\n', undefined],
    ['<<: {a: 1}\n', undefined],
    ['- a\n', undefined],
    ['a: \ue000\n', undefined],
    ['? {a: {{ x }}}\n: b\n', undefined],
  ])('%j becomes %j', (body, expected) => {
    const { text, warnings } = userData(HEADER + body);
    expect(text).toBe(HEADER + (expected ?? body));
    expect(warnings).toHaveLength(expected === undefined ? 1 : 0);
  });

  it('are left out if they would be an expression themselves', () => {
    const text = `${HEADER}a: 1\n`;
    expect(userData(text, { 'cloud-init.ssh-keys.k': 'root:ssh-rsa A {{ x }}' }).text).toBe(text);
    expect(userData(text, { 'cloud-init.ssh-keys.k': 'root:ssh-rsa A {% x' }).text).toBe(text);
  });

  it('keep every byte of the rest, for any rest', () => {
    const part = fc.constantFrom(
      'a: {{ x }}\n',
      'b:\n',
      '- {{ y }} # c\n',
      '  - |\n    {{ z }}\n',
      '{{ t }}\n',
      '{% if a %}\n',
      '# {{ c }}\n',
      'e: [{{ f }}]\n',
      'users: [g]\n',
      'users:\n',
      '- h\n',
      '---\n',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const given = HEADER + parts.join('');
        const { text, warnings } = userData(given);
        if (warnings.length > 0) {
          expect(text).toBe(given);
          return;
        }
        expect(text).toContain('- gh:u1 #lxd:cloud-init.ssh-keys\n');
        const rest = (all: string) =>
          all.split('\n').filter((line) => line.includes('{{') || line.includes('{%'));
        expect(rest(text)).toEqual(rest(given));
        if (!parts.some((line) => line.startsWith('users'))) expect(text.replace(ROOT, '')).toBe(given);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a text that is no plain cloud-config mapping', () => {
  const any = fc.string({ unit: anyCharacter, maxLength: 100 });
  const first = fc.constantFrom(
    '#!/bin/sh',
    '#include',
    '#cloud-config-archive',
    '#cloud-boothook',
    '#part-handler',
    '# a comment\n#cloud-config',
    '## template: basic\n#cloud-config',
    'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\n#cloud-config',
    'MIME-Version: 1.0\n#cloud-config',
    '\ufeff#cloud-config',
  );
  const body = fc.oneof(any, fc.constantFrom('a: 1', 'users: [root]', 'users:\n- name: root\n  shell: x\n'));
  const lines = fc.tuple(first, fc.constantFrom('\n', '\r\n'), body).map((parts) => parts.join(''));
  const gzip = any.map((text) => gzipSync(`#cloud-config\n${text}`));
  const encoded = fc
    .tuple(gzip, fc.constantFrom('base64', 'latin1', 'utf8'))
    .map(([bytes, as]) => bytes.toString(as));
  const oddKey = fc
    .tuple(fc.constantFrom('{{ x }}', '{a: 1}', '[a]', '? [a]\n', '? - a\n'), body)
    .map(([key]) => `#cloud-config\nb: 1\n${key}: c\n`);
  const marked = any
    .filter((text) => /\r(?!\n)|[\x85\u2028\u2029]/.test(text))
    .map((text) => `#cloud-config\n${text}`);

  it('keeps every byte, with a warning', () => {
    fc.assert(
      fc.property(fc.oneof(lines, encoded, oddKey, marked), (given) => {
        const { text, warnings } = userData(given);
        expect(text).toBe(given);
        expect(warnings).toEqual([
          expect.stringMatching(/^cloud-init\.user-data: ssh keys are not merged, /),
        ]);
      }),
      { numRuns: 100 },
    );
  });
});
