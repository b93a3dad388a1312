import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { spawnOnPipes } from './on-pipes.ts';

const descriptors = () => readdirSync('/proc/self/fd').length;

it('a program gets its input, can open its streams by name, and its end is told after its output', async () => {
  const { stdin, stdout, stderr, closed } = spawnOnPipes(
    'sh',
    ['-c', 'cat /dev/stdin; echo bad >/dev/stderr; exit 3'],
    '/',
  );
  stdin.end('some input\n');
  expect(await Promise.all([text(stdout), text(stderr), closed])).toEqual([
    'some input\n',
    'bad\n',
    { code: 3, signal: null },
  ]);
});

it('output that nobody reads is dropped when the program has ended', async () => {
  const { closed } = spawnOnPipes('sh', ['-c', 'head -c 1000 /dev/zero; kill -TERM $$'], '/');
  expect(await closed).toEqual({ code: null, signal: 'SIGTERM' });
});

it('input that a program does not read is dropped', async () => {
  const { stdin, closed } = spawnOnPipes('true', [], '/');
  stdin.write(Buffer.alloc(1_000_000));
  expect((await closed).code).toBe(0);
});

it('a program that does not exist leaves no descriptors', async () => {
  const before = descriptors();
  const { child } = spawnOnPipes('/nowhere', [], '/');
  const [error] = await once(child, 'error');
  expect(error).toMatchObject({ code: 'ENOENT' });
  await vi.waitUntil(() => descriptors() === before);
});
