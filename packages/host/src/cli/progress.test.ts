import { expect, test } from 'vitest';
import { barText, createProgress } from './progress.ts';
import { fakeIo } from './testing/fake-io.ts';

test('a bar shows how much has left, in words and in length', () => {
  expect(barText('Uploading', 0.25, 250_000, 1_000_000, 8)).toBe(
    'Uploading [##------]  25% 250.00kB of 1.00MB',
  );
  expect(barText('Uploading', 1, 5, 5, 4)).toBe('Uploading [####] 100% 5B of 5B');
});

test('nothing is shown where there is no terminal, nor when quiet', () => {
  for (const [terminal, quiet] of [
    [false, false],
    [true, true],
  ] as const) {
    const { io, stderr } = fakeIo({ terminal });
    const progress = createProgress(io.stderr, quiet);
    progress.text('Unpack: 1%');
    progress.bytes('Uploading')(1, 2);
    progress.clear();
    expect([progress.shown, stderr()]).toEqual([false, '']);
  }
});

test('a text replaces the one before, fits the line, and is taken away', () => {
  const { io, stderr } = fakeIo({ terminal: true });
  const progress = createProgress(io.stderr, false);
  progress.text(`Unpack: 1% \x1b[2J${'x'.repeat(200)}`);
  progress.clear();
  progress.clear();
  expect(stderr()).toMatch(/^\r\x1b\[KUnpack: 1% \?\[2Jx+\r\x1b\[K$/);
  expect(stderr().length).toBeLessThan(115);
});

test('a terminal that does not know its width gets the whole text', () => {
  const { io, stderr } = fakeIo({ terminal: true });
  createProgress(Object.assign(io.stderr, { columns: 0 }), false).text('Unpack: 1%');
  expect(stderr()).toBe('\r\x1b[KUnpack: 1%');
});

test('a bar is taken away when all bytes have left', () => {
  const { io, stderr } = fakeIo({ terminal: true });
  const cursor = { cursorTo() {}, clearLine() {}, clearScreenDown() {}, moveCursor() {} };
  const progress = createProgress(Object.assign(io.stderr, cursor), false);
  const tell = progress.bytes('Uploading');
  tell(1, 2);
  tell(2, 2);
  const before = stderr();
  progress.clear();
  expect(stderr()).toBe(before);
});
