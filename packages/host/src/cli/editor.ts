import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Io, readAll } from './io.ts';
import { sentenceOf } from './local-errors.ts';
import type { Session } from './session.ts';
import { renderYaml } from './tables.ts';
import { parseObject } from './yaml-input.ts';

/** An object to be edited, with the ETag that makes the write safe. */
export interface Editable {
  readonly value: object;
  readonly etag: string | undefined;
}

/**
 * Replaces an object with the YAML on standard input, or, when that is a terminal, with the text from an
 * editor. The text from the editor is written only if no other client changed the object meanwhile.
 */
export async function editObject(
  session: Session,
  url: string,
  read: () => Promise<Editable>,
): Promise<void> {
  if (!session.io.stdin.isTTY) {
    await session.client.change('PUT', url, { json: await readObject(await readAll(session.io.stdin)) });
    return;
  }
  const { value, etag } = await read();
  const before = `${await renderYaml(value)}\n`;
  await inEditor(session, 'edit.yaml', Buffer.from(before), async (bytes) => {
    const after = bytes.toString('utf8');
    if (after === before) return;
    const headers = etag === undefined ? {} : { 'if-match': etag };
    await session.client.change('PUT', url, { json: await readObject(after), headers });
  });
}

async function readObject(text: string): Promise<object> {
  const value = await parseObject(text);
  if (value) return value;
  throw new Error('That is not a YAML map');
}

/**
 * Lets the operator edit a text, and saves the result. If that fails, the file is kept: it may be the work of
 * an hour.
 * @param name of the file, from which the editor may recognise its format
 */
export async function inEditor(
  session: Session,
  name: string,
  text: Buffer,
  save: (text: Buffer) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'porthole-edit-'));
  const file = join(dir, name);
  await writeFile(file, text, { mode: 0o600 });
  try {
    await runEditor(session.io, file);
    await save(await readFile(file));
  } catch (error) {
    throw new Error(`${sentenceOf(error)}\nYour text is kept in ${file}`, { cause: error });
  }
  await rm(dir, { recursive: true });
}

/** With these keys, the terminal sends a signal to all its programs; many editors use Ctrl-C themselves. */
const KEY_SIGNALS = ['SIGINT', 'SIGQUIT'] as const;

/**
 * Runs the editor through a shell, because EDITOR may contain arguments. Neither this program nor the shell ends
 * at Ctrl-C: that is for the editor, which they would otherwise leave behind on the terminal.
 */
async function runEditor(io: Io, file: string): Promise<void> {
  const editor = io.env['VISUAL'] || io.env['EDITOR'] || 'vi';
  const listening = KEY_SIGNALS.map((name) => io.onSignal(name, () => {}));
  try {
    const script = `trap : INT QUIT; ${editor} "$1"`;
    const child = spawn('/bin/sh', ['-c', script, 'sh', file], { stdio: 'inherit' });
    const [code, signal] = await once(child, 'close');
    if (code !== 0) throw new Error(editorFailure(editor, code ?? signal));
  } finally {
    for (const stop of listening) stop();
  }
}

/** The exit codes with which a shell says that it could not start a program. */
const NOT_STARTED: readonly unknown[] = [126, 127];

/** @param end its exit code, or the signal that ended it */
function editorFailure(editor: string, end: unknown): string {
  if (!NOT_STARTED.includes(end))
    return `${editor} ended with ${typeof end === 'number' ? `code ${end}` : end}`;
  return `The editor "${editor}" cannot be started: set VISUAL or EDITOR to one that is installed`;
}
