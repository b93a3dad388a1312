import { expect, test as it } from 'vitest';
import { consoleKeys } from './console-keys.ts';

function typed(...chunks: string[]): { sent: string; detached: number } {
  let detached = 0;
  const keys = consoleKeys(() => detached++);
  for (const chunk of chunks) keys.write(Buffer.from(chunk));
  return { sent: String(keys.read() ?? ''), detached };
}

it.each([
  [['ls\r'], 'ls\r', 0],
  [['\x01q'], '', 1],
  [['a\x01', 'q'], 'a', 1],
  [['\x01\x01q'], '\x01q', 0],
  [['\x01\x01\x01q'], '\x01', 1],
  [['\x01x'], '\x01x', 0],
  [['q'], 'q', 0],
])('%j sends %j', (chunks, sent, detached) => {
  expect(typed(...chunks)).toEqual({ sent, detached });
});
