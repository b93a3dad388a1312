import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test as it } from 'vitest';
import { file, tarOf, temporaryFolder, unified } from '../src/images/testing/archives.ts';
import { openDirectory, receive, unifiedUpload } from '../src/images/testing/receive.ts';

const MODULES = JSON.stringify(new URL('../src/images', import.meta.url).pathname);

/** Runs a program that prints when it is in the middle of its work, and kills it then. */
async function killInTheMiddle(program: string): Promise<void> {
  const setup = `
    const { openDirectory, receive } = await import(${MODULES} + '/testing/receive.ts');
    const { stalled, tarOf, unified, file } = await import(${MODULES} + '/testing/archives.ts');
    setInterval(() => {}, 1000);
    const tar = await tarOf(unified(file('rootfs/blob', Buffer.alloc(10_000_000))));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', setup + program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
}

it('a kill during an upload leaves files that the next start removes', async () => {
  await using scratch = await temporaryFolder();
  const dir = join(scratch.path, 'images');
  await killInTheMiddle(`
    const directory = await openDirectory(${JSON.stringify(dir)});
    const data = stalled(tar);
    await receive(directory, { kind: 'unified', filename: '', data }, { onBytes: () => console.log('now') });`);
  expect(await readdir(dir)).toEqual([expect.stringMatching(/^\.stage-/)]);
  const next = await openDirectory(dir);
  await next.sweep(await next.takeAside(new Set()));
  expect(await readdir(dir)).toEqual([]);
});

it('a kill while an image is unpacked leaves no target, and it can be unpacked again', async () => {
  await using scratch = await temporaryFolder();
  const dir = join(scratch.path, 'images');
  const roots = join(scratch.path, 'roots');
  await mkdir(roots);
  await chmod(roots, 0o711);
  const directory = await openDirectory(dir);
  const image = await receive(
    directory,
    unifiedUpload(await tarOf(unified(file('rootfs/blob', Buffer.alloc(10_000_000))))),
  );
  await directory.publish(image);
  await killInTheMiddle(`
    const { ImageDirectory } = await import(${MODULES} + '/image-directory.ts');
    const { silentLog } = await import(${MODULES} + '/../base/log.ts');
    const image = ${JSON.stringify(image)};
    const directory = new ImageDirectory(${JSON.stringify(dir)}, silentLog);
    const target = ${JSON.stringify(join(roots, 'root'))};
    await directory.unpack(image, target, { uid: 1000000, gid: 1000000 }, () => console.log('now'), new AbortController().signal);`);
  const left = await readdir(roots);
  expect(left).toEqual([expect.stringMatching(/^root\.unpack-/)]);
  await directory.unpack(
    image,
    join(roots, 'root'),
    { uid: 1_000_000, gid: 1_000_000 },
    () => {},
    new AbortController().signal,
  );
  expect(await readdir(join(roots, 'root'))).toEqual(['blob', 'etc']);
  await rm(join(roots, left[0]!), { recursive: true });
});
