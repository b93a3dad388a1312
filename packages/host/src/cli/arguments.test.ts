import fc from 'fast-check';
import { describe, expect, test as it } from 'vitest';
import {
  collectDevice,
  collectNames,
  collectPair,
  namesOrAll,
  parsePair,
  parseSettings,
  parseTimeout,
  parseWhole,
} from './arguments.ts';
import { fakeIo } from './testing/fake-io.ts';

const terminal = fakeIo().io.stdin;

describe('key=value', () => {
  it('is split at the first equals sign', () => {
    expect(parsePair('a=b=c')).toEqual(['a', 'b=c']);
    expect(parsePair('a=')).toEqual(['a', '']);
  });

  it('is refused without a key or without an equals sign', () => {
    for (const wrong of ['', 'a', '=b']) {
      expect(() => parsePair(wrong)).toThrow('Invalid key=value');
      expect(() => collectPair(wrong)).toThrow('It must be key=value');
    }
  });

  it('survives any key without an equals sign and any value', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        fc.pre(!key.includes('='));
        expect(parsePair(`${key}=${value}`)).toEqual([key, value]);
      }),
    );
  });

  it('may be given several times; the last one of a key wins', () => {
    expect(collectPair('a=2', collectPair('b=3', collectPair('a=1')))).toEqual({ a: '2', b: '3' });
  });
});

describe('settings', () => {
  it('may be pairs or one key and one value', async () => {
    expect(await parseSettings(['a=1', 'b=2'], terminal)).toEqual({ a: '1', b: '2' });
    expect(await parseSettings(['a', 'x=y'], terminal)).toEqual({ a: 'x=y' });
    expect(await parseSettings(['user.xyz=bar %s bar'], terminal)).toEqual({ 'user.xyz': 'bar %s bar' });
  });

  it('are refused when a word is not a pair', async () => {
    await expect(parseSettings(['a=1', 'b'], terminal)).rejects.toThrow('Invalid key=value: "b"');
    await expect(parseSettings(['a', 'b', 'c'], terminal)).rejects.toThrow('Invalid key=value: "a"');
  });

  it('take a value from standard input byte for byte', async () => {
    expect(await parseSettings(['a', '-'], fakeIo({ stdin: ' x\n\n' }).io.stdin)).toEqual({ a: ' x\n\n' });
    expect(await parseSettings(['a=-', 'b=1'], fakeIo({ stdin: 'ü' }).io.stdin)).toEqual({ a: 'ü', b: '1' });
  });

  it('take a dash literally when standard input is a terminal', async () => {
    expect(await parseSettings(['a=-'], terminal)).toEqual({ a: '-' });
  });

  it('cannot take two values from standard input', async () => {
    const { stdin } = fakeIo({ stdin: 'x' }).io;
    await expect(parseSettings(['a=-', 'b=-'], stdin)).rejects.toThrow('Only one value');
  });
});

it('devices are collected by name', () => {
  const first = collectDevice('root,size=1GB');
  expect(collectDevice('eth0,mtu=1400,name=e0', collectDevice('root,pool=p', first))).toEqual({
    root: { size: '1GB', pool: 'p' },
    eth0: { mtu: '1400', name: 'e0' },
  });
  for (const wrong of ['', 'root', 'a=b', 'root,size', ',a=b']) expect(() => collectDevice(wrong)).toThrow();
});

it('names are collected, also with commas', () => {
  expect(collectNames('c', collectNames('a,b'))).toEqual(['a', 'b', 'c']);
});

it('numbers are whole and not negative, except a timeout of -1', () => {
  expect(parseWhole('0')).toBe(0);
  expect(parseTimeout('-1')).toBe(-1);
  for (const wrong of ['', '-1', '1.5', '1e3', 'x', '99999999999']) expect(() => parseWhole(wrong)).toThrow();
  expect(() => parseTimeout('-2')).toThrow();
});

it('either names or --all must be given, and each name counts once', async () => {
  const find = async () => ['x'];
  expect(await namesOrAll(['a', 'b', 'a'], false, find)).toEqual(['a', 'b']);
  expect(await namesOrAll([], true, find)).toEqual(['x']);
  await expect(namesOrAll([], undefined, find)).rejects.toThrow('Name at least one instance');
  await expect(namesOrAll(['a'], true, find)).rejects.toThrow('Both --all and instance names');
});
