import { expect, test as it } from 'vitest';
import { filenameOf, readParts } from './multipart.ts';

const BODY = [
  '--mark',
  'Content-Disposition: form-data; name="metadata"; filename="meta-x.tar.xz"',
  '',
  'one\r\n--mar\r\n\r\n',
  '--mark',
  'Content-Disposition: form-data; name="rootfs"; filename="../../etc/x.squashfs"',
  'Content-Type: application/octet-stream',
  '',
  '',
  '--mark--',
  '',
].join('\r\n');

/** The body in pieces of one size. */
async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

async function filesOf(body: AsyncIterable<Buffer>): Promise<[string, string][]> {
  const files: [string, string][] = [];
  for await (const { filename, data } of readParts(body, 'mark')) {
    let text = '';
    for await (const chunk of data) text += chunk.toString();
    files.push([filename, text]);
  }
  return files;
}

it('files come out whole, from pieces of any size', async () => {
  for (let size = 1; size <= BODY.length; size++) {
    expect(await filesOf(inPieces(BODY, size))).toEqual([
      ['meta-x.tar.xz', 'one\r\n--mar\r\n\r\n'],
      ['x.squashfs', ''],
    ]);
  }
});

it('a body that ends early, at any byte, is an error', async () => {
  const whole = BODY.length - '\r\n'.length;
  for (let end = 0; end < whole; end++) {
    await expect(filesOf(inPieces(BODY.slice(0, end), 7))).rejects.toThrow('The answer breaks off');
  }
});

it.each([
  ['inline;filename=a.tar', 'a.tar'],
  ['form-data; name="rootfs"; filename="a b"', 'a b'],
  ['inline;filename=/etc/', ''],
  ['inline', ''],
])('the name in %j is %j', (disposition, name) => {
  expect(filenameOf(disposition)).toBe(name);
});
