import { describe, expect, it } from 'vitest';
import { guestApiBind, guestApiBinds, nspawnSettings, nspawnWords } from './nspawn-file.ts';

const pairs = (text: string) => nspawnSettings(text).map(({ section, key, value }) => [section, key, value]);
const sources = (text: string) => guestApiBinds(`[Files]\n${text}`).map(({ source }) => source);

describe('The settings of a .nspawn file', () => {
  it('are its lines KEY=VALUE with their sections; comments and other lines are none', () => {
    const text = 'x=0\n[Exec]\n# Boot=no\n ; Boot=no\n Boot = yes \nnothing\n[Files]\nBind=\n[Exec]\na=b=c';
    expect(pairs(text)).toEqual([
      ['', 'x', '0'],
      ['Exec', 'Boot', 'yes'],
      ['Files', 'Bind', ''],
      ['Exec', 'a', 'b=c'],
    ]);
  });

  it('go on after a backslash at the end of a line, over comments', () => {
    expect(nspawnSettings('[Exec]\na=1 \\\n# between\n  2\nb=\\\\\nc=3')).toEqual([
      { section: 'Exec', key: 'a', value: '1    2', line: 1, lines: 3 },
      { section: 'Exec', key: 'b', value: '\\\\', line: 4, lines: 1 },
      { section: 'Exec', key: 'c', value: '3', line: 5, lines: 1 },
    ]);
  });
});

describe('The mounts at /dev/lxd', () => {
  it.each([
    ['BindReadOnly=/s/devlxd:/dev/lxd', ['/s/devlxd']],
    ['Bind=/s/devlxd/:/dev//lxd/:norbind', ['/s/devlxd']],
    ['Bind=/dev/lxd', ['/dev/lxd']],
    ['Bind=/a\\:b\\\\c:/dev/lxd', ['/a:b\\c']],
    ['Bind=:/dev/lxd', ['']],
    ['Bind=/s:/dev/lxdx\nBind=/s\nTemporaryFileSystem=/dev/lxd\n[Exec]\nBind=/s:/dev/lxd', []],
    ['Bind=/a:/dev/lxd\nBindReadOnly=/b:/dev/lxd', ['/a', '/b']],
  ])('of %j come from %j', (text, expected) => {
    expect(sources(text)).toEqual(expected);
  });

  it.each(['/s/devlxd', '/a:b/devlxd', '/a\\b/devlxd'])('are written as they are read: %s', (folder) => {
    expect(sources(`BindReadOnly=${guestApiBind(folder)}`)).toEqual([folder]);
  });
});

it.each([
  ['A=1  B=2', ['A=1', 'B=2']],
  [`"A=one two" 'B=3 "4"' C="5 6"`, ['A=one two', 'B=3 "4"', 'C=5 6']],
  ['', []],
])('the words of %j are %j', (value, words) => {
  expect(nspawnWords(value)).toEqual(words);
});
