import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SharedChange } from '../../core/shared.ts';
import {
  type CommittedKind,
  nameOf,
  SAMPLES,
  sampleImage,
  sampleInstance,
  sampleProfile,
} from '../testing/samples.ts';
import { FleetKeys } from './fleet-keys.ts';
import { decodeRecord, encodeRecord } from './records.ts';

const keys = new FleetKeys('/porthole/');
const KINDS = Object.keys(SAMPLES) as CommittedKind[];

const decode = (key: string, value: string | null) => {
  const parts = keys.parse(key);
  if (!parts) throw new Error(`${key} is no key`);
  return decodeRecord(parts, value);
};

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe('records', () => {
  it.each(KINDS)('read what they have written: %s', (kind) => {
    for (const change of [SAMPLES[kind].put(nameOf(kind, 1), 'x'), SAMPLES[kind].drop(nameOf(kind, 1))])
      expect(plain(decode(keys.of(change), encodeRecord(change)))).toEqual(plain(change));
  });

  it('read any config, and images without templates', () => {
    // Any code point. fast-check's own unit 'binary' takes most of a second to prepare.
    const unit = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
    const text = fc.string({ unit });
    fc.assert(
      fc.property(fc.dictionary(text, text), text, (config, description) => {
        const change: SharedChange = {
          kind: 'put-instance',
          instance: { ...sampleInstance('c'), config, description },
        };
        expect(plain(decode(keys.of(change), encodeRecord(change)))).toEqual(plain(change));
      }),
    );
    const { templates: _, ...image } = sampleImage('f'.repeat(64));
    const change: SharedChange = {
      kind: 'put-image',
      image: { ...image, files: { kind: 'unified', extension: '.tar' } },
    };
    expect(plain(decode(keys.of(change), encodeRecord(change)))).toEqual(plain(change));
  });

  it('keep a key such as __proto__, and take it for no prototype', () => {
    const config = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    const change: SharedChange = { kind: 'put-profile', profile: { ...sampleProfile('p'), config } };
    const read = decode(keys.of(change), encodeRecord(change)) as Extract<
      SharedChange,
      { kind: 'put-profile' }
    >;
    expect(Object.entries(read.profile.config)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it('ignore fields that they do not know', () => {
    const value = JSON.stringify({ target: 'f', description: '', later: 1 });
    expect(decode('/porthole/aliases/a', value)).toEqual({
      kind: 'put-alias',
      alias: { name: 'a', target: 'f', description: '' },
    });
  });

  it.each([
    ['profiles/p', '', 'it is not JSON'],
    ['profiles/p', 'null', 'it is not an object'],
    ['profiles/p', '[]', 'it is not an object'],
    ['profiles/p', '{"description":""}', 'config is not an object'],
    ['profiles/p', '{"description":"","config":{"a":1},"devices":{}}', 'config.a is not a text'],
    [
      'profiles/p',
      '{"description":"","config":{},"devices":{"eth0":{"type":null}}}',
      'devices.eth0.type is not a text',
    ],
    ['instances/c', '{"id":-1}', 'id is not a whole number'],
    ['instances/c', '{"id":1.5}', 'id is not a whole number'],
    ['images/f', 'null', 'it is not an object'],
    ['images/f', '{}', 'architecture is not a text'],
    ['members/m', '{}', 'address is not a text'],
    ['holders/f', '{}', 'its key names no member'],
  ])('say what is wrong: %s %s', (key, value, message) => {
    expect(() => decode(`/porthole/${key}`, value)).toThrow(message);
  });

  it('never fail in another way, whatever the value is', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('profiles', 'instances', 'images', 'aliases', 'members', 'holders'),
        anything,
        (folder, value) => {
          try {
            decode(`/porthole/${folder}/x/y`, value);
          } catch (error) {
            expect((error as Error).name).toBe('Unreadable');
          }
        },
      ),
    );
  });

  it('are those of no other keys', () => {
    expect(decode('/porthole/uses/profile/p', '')).toBeNull();
    expect(decode('/porthole/commits/a', 'token')).toBeNull();
    expect(keys.parse('/porthole/fleet')).toBeNull();
    expect(keys.parse('/other/profiles/p')).toBeNull();
    expect(keys.parse('/porthole/__proto__/p')).toBeNull();
  });
});
