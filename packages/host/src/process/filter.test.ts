import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, test as it } from 'vitest';
import { filter } from './filter.ts';

it('passes input to a command and returns its output', async () => {
  const child = filter('tr', ['a-z', 'A-Z']);
  child.input.end('hello');
  expect(await text(child.output)).toBe('HELLO');
  expect(await child.ended).toEqual({ ok: true, code: 0, failure: '' });
});

it('lets the command read a given file', async () => {
  await using file = await open(import.meta.filename, 'r');
  const child = filter('head', ['-c', '6'], { stdin: file.fd });
  expect(await text(child.output)).toBe('import');
});

it('gives the end of the standard error of a command that failed', async () => {
  const child = filter('sh', ['-c', 'seq 100000 >&2; echo at last >&2; exit 3']);
  child.output.resume();
  expect(await child.ended).toEqual({ ok: false, code: 3, failure: '99999; 100000; at last' });
});

it('reports a command that does not exist as a failure', async () => {
  const child = filter('no-such-command', []);
  child.output.resume();
  const { ok, failure } = await child.ended;
  expect(ok).toBe(false);
  expect(failure).toContain('no-such-command');
});

it('accepts input that the command does not read', async () => {
  const child = filter('true', []);
  child.output.resume();
  child.input.write(Buffer.alloc(1_000_000));
  expect((await child.ended).ok).toBe(true);
});

it('ends the command when the signal aborts', async () => {
  const cancel = new AbortController();
  const child = filter('sleep', ['60'], { signal: cancel.signal });
  child.output.resume();
  cancel.abort();
  expect(await child.ended).toMatchObject({ ok: false, code: null });
});

it('kills the command with SIGKILL on kill()', async () => {
  const child = filter('sleep', ['60']);
  child.output.resume();
  child.kill();
  expect(await child.ended).toMatchObject({ ok: false, failure: 'sleep: ended by SIGKILL' });
});
