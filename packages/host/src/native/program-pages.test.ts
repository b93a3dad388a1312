import { readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { run } from '../process/run.ts';
import { unwrittenRanges } from './program-pages.ts';

const PROGRAM = '/opt/porthole/bin/node';

interface Mapping {
  readonly at: string;
  readonly rights?: string;
  readonly offset?: string;
  readonly path?: string;
  readonly anonymous?: number;
  readonly swap?: number;
  readonly flags?: string;
}

/** A mapping as the kernel prints it. */
function mapping(of: Mapping): string {
  const { at, rights = 'r-xp', offset = '0042e000', path = PROGRAM } = of;
  const { anonymous = 0, swap = 0, flags = 'rd ex mr mw me' } = of;
  return [
    `${at} ${rights} ${offset} fe:00 2179540                            ${path}`,
    'Size:              45420 kB',
    'Rss:               27548 kB',
    `Anonymous:         ${String(anonymous).padStart(5)} kB`,
    `Swap:              ${String(swap).padStart(5)} kB`,
    'SwapPss:               0 kB',
    `VmFlags: ${flags} `,
    '',
  ].join('\n');
}

const HEADER = mapping({ at: '00400000-0082e000', rights: 'r--p', offset: '00000000', flags: 'rd mr mw me' });
const FIRST = { from: 0x400000, bytes: 0x42e000 };

/** The ranges of a program that has this mapping after its first one. */
const rangesWith = (next: Omit<Mapping, 'at'>) =>
  unwrittenRanges([HEADER + mapping({ at: '0082e000-03489000', ...next })], PROGRAM);

function* inPieces(text: string, length: number) {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

it('all parts of the program that were never written to, however the text is split', () => {
  const text = [
    HEADER,
    mapping({ at: '0082e000-03489000' }),
    mapping({ at: '03489000-072a7000', rights: 'r--p' }),
    mapping({ at: '072a7000-072dc000', rights: 'r--p', anonymous: 24, flags: 'rd mr mw me ac' }),
    mapping({ at: '072dc000-07308000', rights: 'rw-p', anonymous: 156, flags: 'rd wr mr mw me ac' }),
    mapping({ at: '1a3c0000-1aa30000', rights: 'rw-p', path: '[heap]', anonymous: 5000 }),
  ].join('');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: text.length }), (length) => {
      expect(unwrittenRanges(inPieces(text, length), PROGRAM)).toEqual([
        FIRST,
        { from: 0x82e000, bytes: 0x2c5b000 },
        { from: 0x3489000, bytes: 0x3e1e000 },
      ]);
    }),
  );
});

it.each<[string, Omit<Mapping, 'at'>]>([
  ['the program may write to', { rights: 'rw-p' }],
  ['others may write to', { rights: 'r-xs' }],
  ['the program could write to once', { flags: 'rd mr mw me ac' }],
  ['has pages that are not those of the file', { anonymous: 4 }],
  ['has such pages in the swap space', { swap: 4 }],
  ['belongs to another file', { path: '/usr/lib/libc.so.6' }],
])('no part that %s', (_what, next) => {
  expect(rangesWith(next)).toEqual([FIRST]);
});

it('no part of a kernel that does not say what was written', () => {
  const text = HEADER.replace(/^VmFlags.*\n/m, '');
  expect(unwrittenRanges([text], PROGRAM)).toEqual([]);
  expect(unwrittenRanges([HEADER.replace('Anonymous: ', 'Anon: ')], PROGRAM)).toEqual([]);
});

it('no other mapping of the same file: it may end at any time', () => {
  const builtins = mapping({ at: '7f0ba3dc0000-7f0ba3fd5000', offset: '01627000' });
  const lower = mapping({ at: '00100000-00200000', offset: '01627000' });
  expect(unwrittenRanges([lower + HEADER + builtins], PROGRAM)).toEqual([FIRST]);
});

it('reads no more than the mappings of the program, and the next one', () => {
  function* pieces() {
    yield HEADER;
    yield mapping({ at: '1a3c0000-1aa30000', rights: 'rw-p', path: '[heap]' });
    yield mapping({ at: '1aa30000-1aa31000', rights: 'rw-p', path: '[stack]' });
    throw new Error('read more');
  }
  expect(unwrittenRanges(pieces(), PROGRAM)).toEqual([FIRST]);
});

it('nothing of a text that is no list of mappings', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(unwrittenRanges([text], PROGRAM)).toEqual([]);
    }),
  );
});

it('of this process: the machine code of Node', () => {
  const ranges = unwrittenRanges([readFileSync('/proc/self/smaps', 'utf8')], readlinkSync('/proc/self/exe'));
  expect(Math.max(...ranges.map(({ bytes }) => bytes))).toBeGreaterThan(16 * 1024 * 1024);
});

const UNMAPPED = fileURLToPath(new URL('./testing/unmapped-program.ts', import.meta.url));

it('after the pages are taken out, all of the program is as before, and its pages come back with their use', async () => {
  const { failure, stdout } = await run(process.execPath, [UNMAPPED], { timeoutMs: 20_000 });
  expect(failure).toBe('');
  expect(stdout).toBe('true 42 true true\n');
}, 30_000);
