import { describe, expect, it } from 'vitest';
import { ImageSays } from './image-says.ts';
import { type Said, WORDS_MAX, wordsOf } from './words.ts';

const words = (said: Partial<Said>, ...image: unknown[]) => {
  const says = ImageSays.from(image.map((each) => JSON.stringify(each)));
  if (says === null) throw new Error('the image cannot be read');
  return { ...wordsOf({ annotations: {}, labels: {}, env: [], ...said }, says) };
};

describe('the words of an operator', () => {
  it('come from annotations, labels and the environment', () => {
    const labels = { 'dev.porthole.profiles': 'a,b', 'dev.porthole.config.user.x': '1', other: '2' };
    const env = [
      'PORTHOLE_NAME=web',
      'PORTHOLE_CONFIG_user__colour=blue',
      'PORTHOLE_CONFIG_user.real=dot',
      'A',
    ];
    expect(words({ annotations: { 'dev.porthole.ephemeral': 'true' }, labels, env })).toEqual({
      ephemeral: 'true',
      profiles: 'a,b',
      name: 'web',
      'config.user.x': '1',
      'config.user.colour': 'blue',
      'config.user.real': 'dot',
    });
  });

  it('an annotation has priority over a label, a label over the environment', () => {
    const key = 'dev.porthole.name';
    const env = ['PORTHOLE_NAME=e'];
    expect(words({ env, labels: { [key]: 'l' }, annotations: { [key]: 'a' } })).toEqual({ name: 'a' });
    expect(words({ env, labels: { [key]: 'l' } })).toEqual({ name: 'l' });
  });

  it('a value may contain =, and be empty', () => {
    expect(words({ env: ['PORTHOLE_CONFIG_user__x=a=b', 'PORTHOLE_PROFILES='] })).toEqual({
      'config.user.x': 'a=b',
      profiles: '',
    });
  });

  it.each([
    'dev.porthole.',
    'dev.porthole.config.',
    'dev.porthole.config',
    'dev.porthole.Name',
    'dev.porthole.config.a b',
  ])('a label %j is refused, because it is none of the words', (key) =>
    expect(() => words({ labels: { [key]: 'x' } })).toThrow(`"${key}" does not exist`),
  );

  it('a text that is not valid UTF-8 is ignored', () => {
    expect(words({ labels: { 'dev.porthole.name': 'a\ufffd' }, env: ['PORTHOLE_NAME=\ud800'] })).toEqual({});
  });

  it('are limited in number and bytes; name, profiles and ephemeral come first', () => {
    const many = Array.from({ length: 1000 }, (_, i) => [`dev.porthole.config.user.${i}`, ''] as const);
    const labels = { ...Object.fromEntries(many), 'dev.porthole.name': 'web' };
    expect(Object.keys(words({ labels }))).toHaveLength(WORDS_MAX);
    expect(words({ labels })['name']).toBe('web');
    const large = { 'dev.porthole.config.user.a': 'x'.repeat(65_536), 'dev.porthole.name': 'web' };
    expect(words({ labels: large })).toEqual({ name: 'web' });
  });
});

describe('the words of the image', () => {
  const [key, value] = ['dev.porthole.name', 'web'];
  const label = { labels: { [key]: value } };
  const env = { env: ['PORTHOLE_NAME=web'] };

  it('are left out: labels, annotations and variables; with another value they are the operator’s', () => {
    expect(words(label, { config: { Labels: { [key]: value } } })).toEqual({});
    expect(words({ annotations: { [key]: value } }, {}, { annotations: { [key]: value } })).toEqual({});
    expect(words(env, { config: { Env: ['PATH=/', 'PORTHOLE_NAME=web'] } })).toEqual({});
    expect(words(label, { config: { Labels: { [key]: 'db' } } })).toEqual({ name: 'web' });
    expect(words(env, { config: { Env: ['PORTHOLE_NAME=db'] } })).toEqual({ name: 'web' });
  });

  it.each([' PORTHOLE_NAME=web', 'PORTHOLE_NAME', 'PORTHOLE_*', '*', '\tPORTHOLE_N*'])(
    'contain a variable that a runtime may make from %j',
    (line) => expect(words(env, { config: { Env: [line] } })).toEqual({}),
  );

  it('are found in keys of upper and lower case, which are the same for Go', () => {
    expect(words(label, { CONFIG: { labels: { [key]: value } } })).toEqual({});
    expect(words(label, { ConfiG: { 'label\u017f': { [key]: value } } })).toEqual({});
  });

  it('are unknown if a file has a key twice, or is not JSON', () => {
    const twice = '{"config":{"Labels":{"dev.porthole.name":"web"},"Labels":{"a":"b"}}}';
    for (const text of [twice, '{"a":1,"\\u0061":2}', '', '{', '{"a":"b"} x'])
      expect(ImageSays.from([text])).toBe(null);
    expect(ImageSays.from(['{"a":{"b":"\\"c\\":"},"b":["x:", {"a" : 1}]}', '[]'])).not.toBe(null);
  });

  it('are found at any depth', () => {
    expect(ImageSays.from(['['.repeat(100_000) + ']'.repeat(100_000)])).not.toBe(null);
  });
});
