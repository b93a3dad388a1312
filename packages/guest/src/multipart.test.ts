import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLines } from './lines.ts';
import { readImage } from './multipart.ts';

/** A stream of the bytes, cut at the given places. */
async function* cut(bytes: Buffer, places: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    const end = Math.min(place, bytes.length);
    if (end > start) yield bytes.subarray(start, end);
    start = Math.max(start, end);
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

function form(files: readonly Uint8Array[]): Buffer {
  const parts = files.flatMap((file, i) => [
    Buffer.from(`${i === 0 ? '' : '\r\n'}--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n`),
    Buffer.from(file),
  ]);
  return Buffer.concat([...parts, Buffer.from('\r\n--B--\r\n')]);
}

async function collect(stream: AsyncIterable<Buffer>, type: string) {
  const sizes: number[] = [];
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  for await (const chunk of readImage(stream, type, sizes, hash)) chunks.push(Buffer.from(chunk));
  return { sizes, bytes: Buffer.concat(chunks) };
}

it('splits a form into its files, for any cuts and any contents', async () => {
  const bytes = fc.array(fc.constantFrom('\r', '\n', '-', '--B', 'B', 'x', '\r\n--'), { maxLength: 12 });
  const file = bytes
    .map((parts) => Buffer.from(parts.join('')))
    .filter((data) => !`${data}\r\n--B`.slice(0, -1).includes('\r\n--B'));
  await fc.assert(
    fc.asyncProperty(file, file, fc.array(fc.nat(200), { maxLength: 30 }), async (first, second, places) => {
      const { sizes, bytes } = await collect(
        cut(form([first, second]), places),
        'multipart/form-data; boundary=B',
      );
      expect(sizes).toEqual([first.length, second.length]);
      expect(bytes.equals(Buffer.concat([first, second]))).toBe(true);
    }),
  );
});

it('notices a form that ends early', async () => {
  const whole = form([Buffer.from('abc')]);
  for (let length = 0; length < whole.length - 2; length++) {
    const read = collect(cut(whole.subarray(0, length), []), 'multipart/form-data; boundary=B');
    await expect(read).rejects.toThrow('ended early');
  }
});

it('takes any other type for one file', async () => {
  expect(await collect(cut(Buffer.from('--B'), []), 'application/octet-stream')).toEqual({
    sizes: [3],
    bytes: Buffer.from('--B'),
  });
});

it('reads lines, for any cuts', async () => {
  const lines = ['{"a":"ü"}', '', 'second', 'third'];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40)), async (places) => {
      const seen: string[] = [];
      for await (const line of readLines(cut(Buffer.from(`${lines.join('\n')}\nunfinished`), places)))
        seen.push(line);
      expect(seen).toEqual(lines.filter((line) => line !== ''));
    }),
  );
});
