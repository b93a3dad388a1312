import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { editBundle } from './bundle.ts';
import { readArguments } from './runtime-arguments.ts';

const place = { stateDir: '/srv/p', bin: '/opt/bin', required: false };
let bundle: string;
beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), 'porthole-test-bundle-'));
});
afterEach(() => rmSync(bundle, { recursive: true }));
const write = (text: string) => writeFileSync(join(bundle, 'config.json'), text);
const read = () => readFileSync(join(bundle, 'config.json'), 'utf8');

describe('a bundle', () => {
  it('is edited once, keeps its mode and other content, and gets no other files', async () => {
    write('{"linux":{"limit":18446744073709551615}}');
    chmodSync(join(bundle, 'config.json'), 0o640);
    await editBundle(bundle, place);
    const text = read();
    expect(text).toContain('"linux":{"limit":18446744073709551615}');
    expect(JSON.parse(text)).toMatchObject({ mounts: [{ destination: '/dev/lxd' }] });
    expect(statSync(join(bundle, 'config.json')).mode & 0o777).toBe(0o640);
    const { ino } = statSync(join(bundle, 'config.json'));
    await editBundle(bundle, place);
    expect(statSync(join(bundle, 'config.json')).ino).toBe(ino);
    expect(readdirSync(bundle)).toEqual(['config.json']);
  });

  it.each(['', '{', '[]'])('with the config.json %j stays as it is', async (text) => {
    write(text);
    await expect(editBundle(bundle, place)).rejects.toThrow(`${bundle}/config.json cannot be edited: `);
    expect(read()).toBe(text);
  });

  it('whose config.json is a symbolic link is refused, and the file that it leads to stays as it is', async () => {
    const other = join(bundle, 'other.json');
    writeFileSync(other, '{}');
    symlinkSync(other, join(bundle, 'config.json'));
    await expect(editBundle(bundle, place)).rejects.toThrow(
      `${bundle}/config.json cannot be edited: it is a symbolic link`,
    );
    expect(readFileSync(other, 'utf8')).toBe('{}');
    expect(readdirSync(bundle)).toEqual(['config.json', 'other.json']);
  });

  it('whose config.json is a folder is refused', async () => {
    mkdirSync(join(bundle, 'config.json'));
    await expect(editBundle(bundle, place)).rejects.toThrow('cannot be edited: it is not a regular file');
  });

  it('without config.json, or for a relative state directory, is refused', async () => {
    await expect(editBundle(bundle, place)).rejects.toThrow('config.json cannot be edited: ENOENT');
    write('{}');
    await expect(editBundle(bundle, { ...place, stateDir: 'p' })).rejects.toThrow('not an absolute path: p');
  });
});

describe('the arguments of a runtime', () => {
  it.each([
    [['create', '--bundle', '/b', 'c1'], '/b'],
    [['--root', '/r', 'run', '-b', '/b', 'c1'], '/b'],
    [['run', '--bundle=/b', 'c1'], '/b'],
    [['run', 'c1'], undefined],
  ])('%j', (args, bundle) => {
    expect(readArguments(args).bundle).toBe(bundle);
  });

  it('name the log for errors, if its format is JSON', () => {
    expect(readArguments(['--log', '/l', '--log-format', 'json', 'run', 'c1']).log).toBe('/l');
    expect(readArguments(['--log=/l', 'run', 'c1']).log).toBe(undefined);
  });
});
