import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { anyCharacter } from '../base/testing/any-text.ts';
import { canonicalArchitecture, hostArchitecture } from './architectures.ts';
import { parseMetadata } from './metadata.ts';

const BASE = 'architecture: arm64\ncreation_date: 1700000000\n';

it('values are read as LXD reads them: texts stay texts', () => {
  const text = `${BASE}expiry_date: 1800000000\nproperties:\n  release: 22.10\n  serial: 20260101_07:42\n  build: 010\n  on: yes\n  none:\n`;
  expect(parseMetadata(text)).toEqual({
    architecture: 'aarch64',
    createdAt: '2023-11-14T22:13:20Z',
    expiresAt: '2027-01-15T08:00:00Z',
    properties: { release: '22.10', serial: '20260101_07:42', build: '010', on: 'yes', none: '' },
    templates: [],
  });
});

it('JSON is read as YAML', () => {
  const text =
    '{"architecture": "x86_64", "creation_date": 1, "templates": {"/etc/hosts": {"when": ["start"]}}}';
  expect(parseMetadata(text)).toMatchObject({
    architecture: 'x86_64',
    createdAt: '1970-01-01T00:00:01Z',
    properties: {},
    templates: [{ path: '/etc/hosts', file: '', when: ['start'], createOnly: false, properties: {} }],
  });
});

it('rules of templates are read, with one occasion or several; unknown occasions are dropped', () => {
  const text = `${BASE}templates:
  /etc/hosts:
    when: [start, create, later]
    create_only: yes
    template: hosts.tpl
    properties: {port: 080, none: }
  /etc/hostname: {when: rename, template: name.tpl}
`;
  expect(parseMetadata(text).templates).toEqual([
    {
      path: '/etc/hosts',
      file: 'hosts.tpl',
      when: ['create', 'start'],
      createOnly: true,
      properties: { port: '080', none: '' },
    },
    { path: '/etc/hostname', file: 'name.tpl', when: ['rename'], createOnly: false, properties: {} },
  ]);
});

it.each([
  ['Missing creation date', 'architecture: amd64\n'],
  ['Missing creation date', 'architecture: amd64\ncreation_date: 0\n'],
  ['Missing creation date', ''],
  ["Architecture isn't supported: vax", 'architecture: vax\ncreation_date: 1\n'],
  ["Architecture isn't supported: ", 'creation_date: 1\n'],
  ["Architecture isn't supported: constructor", 'architecture: constructor\ncreation_date: 1\n'],
  ['creation_date is not a number of seconds', 'architecture: amd64\ncreation_date: -5\n'],
  ['creation_date is not a number of seconds', 'architecture: amd64\ncreation_date: 2023-01-01\n'],
  ['creation_date is not a number of seconds', 'architecture: amd64\ncreation_date: 999999999999\n'],
  ['expiry_date is not a number of seconds', `${BASE}expiry_date: [1]\n`],
  ['metadata.yaml is not a map', '- a\n- b\n'],
  ['properties is not a map', `${BASE}properties: text\n`],
  ['property "a" is not a text', `${BASE}properties: {a: [b]}\n`],
  ['invalid property name', `${BASE}properties: {"a\\nb": c}\n`],
  ['Map keys must be unique', `${BASE}architecture: amd64\n`],
  ['Missing closing "quote', 'architecture: "amd64\n'],
])('refuses with %j', (text, yaml) => {
  expect(() => parseMetadata(yaml)).toThrow(text);
});

it('aliases that stand for billions of values are refused', () => {
  const levels = Array.from({ length: 30 }, (_, at) => `l${at + 1}: &l${at + 1} [*l${at}, *l${at}, *l${at}]`);
  expect(() => parseMetadata(`l0: &l0 [x]\n${levels.join('\n')}\n${BASE}`)).toThrow(CodedError);
});

it('a property named __proto__ is kept like any other', () => {
  const { properties } = parseMetadata(`${BASE}properties: {__proto__: x}\n`);
  expect(Object.getOwnPropertyNames(properties)).toEqual(['__proto__']);
});

it('any text is read, or refused with a coded error', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      for (const yaml of [text, `${BASE}properties: ${text}`]) {
        try {
          parseMetadata(yaml);
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError);
        }
      }
    }),
  );
});

it.each([
  ['amd64', 'x86_64'],
  ['x86_64', 'x86_64'],
  ['i386', 'i686'],
  ['arm64', 'aarch64'],
  ['armhf', 'armv7l'],
  ['ppc64el', 'ppc64le'],
  ['AMD64', undefined],
  ['toString', undefined],
])('the canonical name of %s is %s', (text, canonical) => {
  expect(canonicalArchitecture(text)).toBe(canonical);
});

it('the host has a canonical architecture', () => {
  expect(canonicalArchitecture(hostArchitecture())).toBe(hostArchitecture());
});
