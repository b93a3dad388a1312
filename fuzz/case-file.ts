import { type Case, TARGET_NAMES, type TargetName } from './target.ts';

/** A case with the other lines of its file. */
export interface StoredCase extends Case {
  readonly target: TargetName;
  /** Why it is kept; may be empty. */
  readonly note: string;
}

/** This many equal bytes or more are written with their count. */
const RUN_MIN = 6;
/** Bytes after which a line of the file ends; a line feed ends it too. */
const LINE_BYTES = 64;

/**
 * The text of a case's file: some `name: value` lines, an empty line, the bytes. Printable ASCII except `\`
 * stands for itself; other bytes are `\r`, `\n`, `\xHH`; `\xHH{N}` is N equal bytes. Line ends are not part
 * of the bytes.
 */
export function caseText({ target, note, cuts, bytes }: StoredCase): string {
  const head = [
    `target: ${target}`,
    ...(note === '' ? [] : [`note: ${note}`]),
    ...(cuts.length === 0 ? [] : [`cuts: ${cuts.join(' ')}`]),
  ];
  return `${head.join('\n')}\n\n${escaped(bytes)}\n`;
}

/** Reads what {@link caseText} has written. @throws Error that says what is wrong with it */
export function readCase(text: string): StoredCase {
  const end = text.indexOf('\n\n');
  if (end < 0) throw new Error('a case has lines of names and values, an empty line, and bytes');
  const head = new Map(
    text
      .slice(0, end)
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const),
  );
  const target = TARGET_NAMES.find((name) => name === head.get('target'));
  if (target === undefined) throw new Error(`there is no target "${head.get('target')}"`);
  const cuts = (head.get('cuts') ?? '').split(' ').filter(Boolean).map(Number);
  return { target, note: head.get('note') ?? '', cuts, bytes: unescaped(text.slice(end + 2)) };
}

function escaped(bytes: Buffer): string {
  let text = '';
  let onLine = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    let count = 1;
    while (bytes[at + count] === byte) count++;
    const isRun = count >= RUN_MIN;
    text += isRun ? `${hex(byte)}{${count}}` : escapedByte(byte);
    at += isRun ? count : 1;
    onLine = byte === 0x0a || onLine >= LINE_BYTES ? 0 : onLine + 1;
    if (onLine === 0) text += '\n';
  }
  return text;
}

const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;

function escapedByte(byte: number): string {
  if (byte === 0x0d) return '\\r';
  if (byte === 0x0a) return '\\n';
  return byte < 0x20 || byte > 0x7e || byte === 0x5c ? hex(byte) : String.fromCharCode(byte);
}

function unescaped(text: string): Buffer {
  const pieces = text.replaceAll('\n', '').matchAll(/\\r|\\n|\\x([0-9a-f]{2})(?:\{(\d{1,8})\})?|[^\\]/g);
  const parts = [...pieces].map(([piece, digits, count]) => {
    if (digits !== undefined) return Buffer.alloc(Number(count ?? 1), Number.parseInt(digits, 16));
    return Buffer.from(piece === '\\r' ? '\r' : piece === '\\n' ? '\n' : piece, 'latin1');
  });
  return Buffer.concat(parts);
}
