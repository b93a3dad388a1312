import { isUtf8 } from 'node:buffer';
import { FIN, OPCODES, RESERVED, readFrames } from '../frames.ts';

/** The input that a process must get from a client's frames; this reader shares no code with the daemon's. */
export function expectedInput(bytes: Buffer): Buffer {
  const taken: Buffer[] = [];
  let message: { readonly isText: boolean; readonly parts: Buffer[] } | undefined;
  for (const { first, masked, payload } of readFrames(bytes).frames) {
    const opcode = first & 0xf;
    const isLast = (first & FIN) !== 0;
    if (!masked || (first & RESERVED) !== 0) break;
    if (opcode === OPCODES.ping || opcode === OPCODES.pong) {
      if (!isLast || payload.length > 125) break;
      continue;
    }
    const begins = opcode === OPCODES.text || opcode === OPCODES.binary;
    if (begins === (message !== undefined) || (!begins && opcode !== OPCODES.more)) break;
    message ??= { isText: opcode === OPCODES.text, parts: [] };
    message.parts.push(payload);
    if (!isLast) continue;
    const whole = Buffer.concat(message.parts);
    // An empty text is the end of the input.
    if (message.isText && (whole.length === 0 || !isUtf8(whole))) break;
    taken.push(whole);
    message = undefined;
  }
  return Buffer.concat(taken);
}
