import fc from 'fast-check';
import { expect, it } from 'vitest';
import { closePayload, controlFrame, FrameReader, textFrameHead } from './websocket-frames.ts';

/** A frame as a client sends it. */
function frame(first: number, payload: Buffer | string = '', mask = [1, 2, 3, 4]): Buffer {
  const masked = Buffer.from(payload).map((byte, at) => byte ^ mask[at & 3]!);
  return Buffer.concat([Buffer.from([first, 0x80 | masked.length, ...mask]), masked]);
}

const PING = 0x89;
const PONG = 0x8a;
const CLOSE = 0x88;

it('finds the last ping, and whether there was a pong', () => {
  const bytes = Buffer.concat([frame(PING, 'one'), frame(PONG), frame(PING, 'two')]);
  expect(new FrameReader().push(bytes)).toEqual({
    ping: Buffer.from('two'),
    pong: true,
    ending: undefined,
  });
});

it.each([
  ['a text', frame(0x81, 'x'), 'message', ''],
  ['the beginning of a text', frame(0x81, 'x').subarray(0, 2), 'message', ''],
  ['binary data', frame(0x82, 'x'), 'message', ''],
  ['a close', frame(CLOSE), 'closed', ''],
  ['a close with a code', frame(CLOSE, Buffer.from([3, 0xe8, 1, 2])), 'closed', '\x03\xe8'],
  ['a close with half a code', frame(CLOSE, '\x03'), 'broken', '\x03\xea'],
  ['a close with a code that may not be sent', frame(CLOSE, Buffer.from([3, 0xed])), 'broken', '\x03\xea'],
  ['a frame without a mask', Buffer.from([PING, 0]), 'broken', '\x03\xea'],
  ['a reserved bit', frame(0xc9), 'broken', '\x03\xea'],
  ['an unknown opcode', frame(0x83), 'broken', '\x03\xea'],
  ['the rest of a message that never began', frame(0x80), 'broken', '\x03\xea'],
  ['a ping in parts', frame(0x09), 'broken', '\x03\xea'],
  ['a ping that is too long', Buffer.from([PING, 0xfe, 0, 126]), 'broken', '\x03\xea'],
])('ends at %s', (_, bytes, kind, payload) => {
  const { ending } = new FrameReader().push(bytes);
  expect([ending?.kind, ending?.payload.toString('latin1')]).toEqual([kind, payload]);
});

it('gives the same result byte by byte as at once, for any bytes', () => {
  const part = fc.constantFrom(frame(PING, 'a'), frame(PONG), frame(CLOSE), frame(0x81), Buffer.from([0x89]));
  const bytes = fc.oneof(
    fc.array(part, { maxLength: 8 }).map((parts) => Buffer.concat(parts)),
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      const whole = new FrameReader().push(given);
      const reader = new FrameReader();
      let ping: Buffer | undefined;
      let pong = false;
      let ending: ReturnType<FrameReader['push']>['ending'];
      for (let at = 0; at < given.length && ending === undefined; at++) {
        const found = reader.push(given.subarray(at, at + 1));
        ping = found.ping ?? ping;
        pong ||= found.pong;
        ending = found.ending;
      }
      expect({ ping, pong, ending }).toEqual(whole);
    }),
  );
});

it.each([0, 125, 126, 65_535, 65_536])('makes the head of a text of %i bytes', (length) => {
  const head = textFrameHead(length);
  expect(head[0]).toBe(0x81);
  if (length <= 125) expect(head).toEqual(Buffer.from([0x81, length]));
  else if (length < 65_536) expect([head[1], head.readUInt16BE(2)]).toEqual([126, length]);
  else expect([head[1], head.readBigUInt64BE(2)]).toEqual([127, BigInt(length)]);
});

it('makes control frames', () => {
  expect(controlFrame('ping')).toEqual(Buffer.from([0x89, 0]));
  expect(controlFrame('pong', Buffer.from('a'))).toEqual(Buffer.from('\x8a\x01a', 'latin1'));
  expect(controlFrame('close', closePayload(1001, 'x'))).toEqual(Buffer.from('\x88\x03\x03\xe9x', 'latin1'));
});
