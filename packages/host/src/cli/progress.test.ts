import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';
import { fakeIo } from './testing/fake-io.ts';

/** The bar moves the cursor. */
const CURSOR = { cursorTo() {}, clearLine() {}, clearScreenDown() {}, moveCursor() {} };

it('draws a bar with its title, per cent and bytes', async () => {
  const { io, stderr } = fakeIo({ terminal: true });
  const progress = createProgress(Object.assign(io.stderr, CURSOR), false);
  const update = await progress.bytes('Uploading a{bar}');
  update(1, 1_000_000);
  expect(stderr()).toContain(`Uploading a{bar} [${'-'.repeat(30)}]   0% 0B of 1.00MB`);
  update(250_000, 1_000_000);
  progress.clear();
  expect(stderr()).toContain(`Uploading a{bar} [${'#'.repeat(8)}${'-'.repeat(22)}]  25% 250.00kB of 1.00MB`);
});

it('shows nothing without a terminal, and nothing with --quiet', async () => {
  for (const [terminal, quiet] of [
    [false, false],
    [true, true],
  ] as const) {
    const { io, stderr } = fakeIo({ terminal });
    const progress = createProgress(io.stderr, quiet);
    progress.text('Unpack: 1%');
    (await progress.bytes('Uploading'))(1, 2);
    progress.clear();
    expect([progress.shown, stderr()]).toEqual([false, '']);
  }
});

it('a text replaces the one before, fits the line, and is erased at the end', async () => {
  const { io, stderr } = fakeIo({ terminal: true });
  const progress = createProgress(io.stderr, false);
  progress.text(`Unpack: 1% \x1b[2J${'x'.repeat(200)}`);
  progress.clear();
  progress.clear();
  expect(stderr()).toMatch(/^\r\x1b\[KUnpack: 1% \?\[2Jx+\r\x1b\[K$/);
  expect(stderr().length).toBeLessThan(115);
});

it('prints the whole text if the width of the terminal is not known', async () => {
  const { io, stderr } = fakeIo({ terminal: true });
  createProgress(Object.assign(io.stderr, { columns: 0 }), false).text('Unpack: 1%');
  expect(stderr()).toBe('\r\x1b[KUnpack: 1%');
});

it('the bar is erased when all bytes have been sent', async () => {
  const { io, stderr } = fakeIo({ terminal: true });
  const progress = createProgress(Object.assign(io.stderr, CURSOR), false);
  const tell = await progress.bytes('Uploading');
  tell(1, 2);
  tell(2, 2);
  const before = stderr();
  progress.clear();
  expect(stderr()).toBe(before);
});
