import { FIN, type Frame, frameBytes, OPCODES, RESERVED, readFrames } from '../frames.ts';
import { cutsFor, mutateBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import type { Case } from '../target.ts';

/** The websockets that are tried. */
const STREAMS = ['guest', 'events', 'exec-0', 'exec-1', 'exec-control', 'tty-0', 'tty-control'] as const;
export type Stream = (typeof STREAMS)[number];

/** A parsed case: `STREAM`, ` early` if the bytes are sent with the handshake, a line feed, and the bytes. */
export interface FrameCase {
  readonly stream: Stream;
  readonly early: boolean;
  readonly bytes: Buffer;
}

/** Parses a case; one without a valid first line is for the guest API's events. */
export function readFrameCase({ bytes }: Case): FrameCase {
  const end = bytes.indexOf('\n');
  const [name, early] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split(' ');
  const stream = STREAMS.find((each) => each === name) ?? 'guest';
  return { stream, early: early === 'early', bytes: bytes.subarray(end + 1) };
}

/** Mostly valid first bytes: the first invalid one ends the connection. */
const FIRSTS = [
  ...[
    FIN | OPCODES.binary,
    FIN | OPCODES.binary,
    FIN | OPCODES.binary,
    FIN | OPCODES.binary,
    FIN | OPCODES.text,
  ],
  ...[FIN | OPCODES.text, FIN | OPCODES.text, FIN | OPCODES.ping, FIN | OPCODES.pong, OPCODES.binary, FIN],
  ...[
    FIN | OPCODES.text,
    FIN | OPCODES.binary,
    FIN | OPCODES.binary,
    OPCODES.text,
    OPCODES.binary,
    OPCODES.more,
  ],
  ...[
    FIN | OPCODES.more,
    FIN | OPCODES.close,
    FIN | OPCODES.ping,
    FIN | OPCODES.pong,
    OPCODES.ping,
    OPCODES.close,
  ],
  ...[FIN | 3, FIN | 0xb, FIN | RESERVED | OPCODES.text, FIN | 0x40 | OPCODES.binary],
];
const PAYLOADS = [
  ...[
    '',
    '',
    'in',
    '\xff\xfe',
    'gr\xc3\xbcn',
    '\xed\xa0\x80',
    'keepalive',
    '\x03\xe8',
    '\x03\xe8bye',
    '\x00\x01',
    '\x03',
  ],
  ...['\x03\xed', '\x0b\xb8\xff', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(5000), 'x'.repeat(30_000)],
  ...[
    '{"command":"signal","signal":9}',
    '{"command":"signal","signal":65}',
    '{"command":"x"}',
    '{'.repeat(99),
  ],
  ...[
    '{"command":"window-resize","args":{"width":"80","height":"24"}}',
    '{"command":"window-resize","args":null}',
  ],
];

/** Makes frames, or changes some. */
export function makeFrameCase(random: Random, corpus: readonly Case[]): Case {
  const old = readFrameCase(random.pick(corpus) ?? { bytes: Buffer.alloc(0), cuts: [] });
  const other = readFrameCase(random.pick(corpus) ?? { bytes: Buffer.alloc(0), cuts: [] });
  const stream = random.percent(50) ? old.stream : random.percent(40) ? 'exec-0' : random.pick(STREAMS);
  const early = random.percent(15);
  const bytes = changed(old.bytes, random, other.bytes);
  const line = Buffer.from(`${stream}${early ? ' early' : ''}\n`);
  return { bytes: Buffer.concat([line, bytes]), cuts: cutsFor(bytes.length, random) };
}

function changed(bytes: Buffer, random: Random, other: Buffer): Buffer {
  if (random.percent(25)) return mutateBytes(bytes, random, other);
  const frames = readFrames(bytes).frames;
  for (let count = 1 + random.short(6); count > 0; count--) {
    const at = random.below(frames.length + 1);
    const kind = random.below(6);
    if (kind <= 2) frames.splice(at, 0, newFrame(random));
    else if (kind === 3) frames.splice(at, 1);
    else if (kind === 4) frames.splice(at, 0, ...readFrames(other).frames.slice(0, 3));
    else frames[Math.min(at, frames.length)] = newFrame(random);
  }
  return Buffer.concat(frames.map(frameBytes));
}

function newFrame(random: Random): Frame {
  const text = Buffer.from(random.pick(PAYLOADS), 'latin1');
  const payload = random.percent(15) ? mutateBytes(text, random, text) : text;
  return { first: random.pick(FIRSTS), masked: random.percent(99), payload };
}
