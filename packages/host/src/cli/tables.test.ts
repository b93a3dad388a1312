import { describe, expect, test as it } from 'vitest';
import { parse } from 'yaml';
import { renderListing, renderYaml, sorted } from './tables.ts';

const LISTING = {
  headers: ['NAME', 'STATE', 'IPV4'],
  rows: [
    ['c1', 'RUNNING', '10.0.0.1 (eth0)\n10.0.0.2 (eth1)'],
    ['c,2', 'STOPPED', ''],
  ],
  objects: [{ name: 'c1' }, { name: 'c,2' }],
};
const EMPTY = { headers: ['NAME', 'STATE'], rows: [], objects: [] };

describe('a list', () => {
  it('as a table has a rule between rows and centred headers', async () => {
    expect(await renderListing('table', LISTING)).toBe(
      [
        '+------+---------+-----------------+',
        '| NAME |  STATE  |      IPV4       |',
        '+------+---------+-----------------+',
        '| c1   | RUNNING | 10.0.0.1 (eth0) |',
        '|      |         | 10.0.0.2 (eth1) |',
        '+------+---------+-----------------+',
        '| c,2  | STOPPED |                 |',
        '+------+---------+-----------------+',
      ].join('\n'),
    );
  });

  it('as a table lines up texts with wide characters, and those with several', async () => {
    const wide = {
      headers: ['A', 'B'],
      rows: [
        ['漢字', 'é'],
        ['x', '👍\ny'],
      ],
      objects: [],
    };
    expect(await renderListing('table', wide)).toBe(
      [
        '+------+----+',
        '|  A   | B  |',
        '+------+----+',
        '| 漢字 | é  |',
        '+------+----+',
        '| x    | 👍 |',
        '|      | y  |',
        '+------+----+',
      ].join('\n'),
    );
  });

  it('without rows is still a closed table', async () => {
    expect(await renderListing('table', EMPTY)).toBe(
      ['+------+-------+', '| NAME | STATE |', '+------+-------+'].join('\n'),
    );
  });

  it('as csv has no header, and quotes where they are needed', async () => {
    expect(await renderListing('csv', LISTING)).toBe(
      'c1,RUNNING,"10.0.0.1 (eth0)\n10.0.0.2 (eth1)"\n"c,2",STOPPED,',
    );
    expect(await renderListing('csv', { ...EMPTY, rows: [['a"b']] })).toBe('"a""b"');
    expect(await renderListing('csv', EMPTY)).toBe('');
  });

  it('as json and yaml has the objects unchanged', async () => {
    expect(JSON.parse(await renderListing('json', LISTING))).toEqual(LISTING.objects);
    expect(parse(await renderListing('yaml', LISTING))).toEqual(LISTING.objects);
    expect(await renderListing('json', EMPTY)).toBe('[]');
  });

  it('as compact text lines up and has no trailing blanks', async () => {
    expect(await renderListing('compact', LISTING)).toBe(
      [
        'NAME  STATE    IPV4',
        'c1    RUNNING  10.0.0.1 (eth0)',
        '               10.0.0.2 (eth1)',
        'c,2   STOPPED',
      ].join('\n'),
    );
  });

  it('does not move the cursor, even if a text from an instance has control characters', async () => {
    const evil = { headers: ['A'], rows: [['\x1b[2Jx\x9b\u202e']], objects: [] };
    for (const format of ['table', 'compact'] as const)
      expect(await renderListing(format, evil)).toContain('?[2Jx??');
  });
});

it('yaml has the layout of LXD', async () => {
  expect(await renderYaml({ config: {}, profiles: ['default'], description: '' })).toBe(
    'config: {}\nprofiles:\n- default\ndescription: ""',
  );
});

it('sorts maps at every depth, and does not sort lists', async () => {
  expect(JSON.stringify(sorted({ b: { z: '1', a: '2' }, a: ['y', 'x'] }))).toBe(
    '{"a":["y","x"],"b":{"a":"2","z":"1"}}',
  );
});
