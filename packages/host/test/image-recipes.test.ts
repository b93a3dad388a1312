import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { sha256, temporaryFolder } from '../src/images/testing/archives.ts';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';
import { type ImageFiles, imageFiles } from './harness/image-files.ts';
import { Operator } from './harness/operator.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let files: ImageFiles;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  [scratch, files, daemon] = await Promise.all([temporaryFolder(), imageFiles(), TestDaemon.start()]);
  operator = new Operator(daemon);
});
afterAll(async () => {
  await daemon?.destroy();
  await files?.[Symbol.asyncDispose]();
  await scratch?.[Symbol.asyncDispose]();
});

async function sh(script: string, cwd: string): Promise<string> {
  const PATH = `${join(REPOSITORY, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const env = { PATH, HOME: scratch.path, PORTHOLE_DIR: daemon.stateDir, BUSYBOX: files.folder };
  const done = await run('sh', ['-ec', script], { cwd, env, timeoutMs: 60_000 });
  if (!done.ok) throw new Error(`${done.failure}\n${done.stdout}`);
  return done.stdout;
}

async function drop(name: string, image: string): Promise<void> {
  await operator.state(name, 'stop', { force: true });
  await operator.delete(name);
  await daemon.must('image', 'delete', image);
}

/** A file that ends each part: all zeros after its block are the end mark. */
const END = 'rootfs/srv/end';
/** Each part is written by another program or in another format, and the end marks in between are cut off. */
const PARTS = [
  "tar --format=v7 -P --transform 's,^,/,rhS' -c metadata.yaml rootfs",
  ...['oldgnu', 'gnu'].map((format) => `tar --format=${format} -S -c rootfs/srv/${format}`),
  ...['0.0', '0.1', '1.0'].map(
    (version) => `tar --format=pax -S --sparse-version=${version} -c rootfs/srv/pax-${version}`,
  ),
  'bsdtar --format=pax -c -f - rootfs/srv/bsdtar',
  'bsdtar --format=ustar -c -f - ./rootfs/srv/ustar',
  'busybox tar -c ./rootfs/srv/busybox',
  // Entries that replace others: a folder with a file, a link to outside, and a folder again.
  'mkdir -p rootfs/opt/a && echo old > rootfs/opt/a/old && tar -c rootfs/opt',
  'rm -r rootfs/opt/a && ln -s /srv rootfs/opt/a && tar --format=ustar -c rootfs/opt/a',
  'rm rootfs/opt/a && mkdir rootfs/opt/a && echo new > rootfs/opt/a/new && tar -P -c .//rootfs/opt/a',
];
const SPARSE = ['oldgnu', 'gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0', 'bsdtar', 'ustar', 'busybox'];

it('an instance runs from an archive with absolute names, and has files of every dialect', async () => {
  const tree = join(scratch.path, 'tree');
  await mkdir(tree);
  await sh('cp -a "$BUSYBOX/rootfs" . && tar -xf "$BUSYBOX/metadata.tar"', tree);
  for (const name of SPARSE) {
    const write = `for i in 1 2 3 4 5 6; do echo ${name} $i | dd of=rootfs/srv/${name} bs=1 seek=$((i * 65536)) conv=notrunc`;
    await sh(`${write} status=none; done; truncate -s 1M rootfs/srv/${name}`, tree);
  }
  await writeFile(join(tree, END), 'end\n');
  const archive = join(scratch.path, 'mixed.tar');
  const parts: Buffer[] = [];
  for (const part of PARTS) {
    await sh(`{ ${part} ${END}; } > ${archive}`, tree);
    parts.push(withoutEnd(await readFile(archive)));
  }
  await writeFile(archive, Buffer.concat([...parts, Buffer.alloc(1024)]));
  await daemon.must('image', 'import', archive, '--alias', 'mixed');
  await operator.launch('m1', { source: { type: 'image', alias: 'mixed' } });
  const wanted = await Promise.all(
    SPARSE.map(async (name) => `${sha256(await readFile(join(tree, 'rootfs/srv', name)))}  ${name}\n`),
  );
  expect(await operator.sh('m1', `cd /srv && sha256sum ${SPARSE.join(' ')}`)).toBe(wanted.join('').trim());
  const blocks = (await operator.sh('m1', 'cd /srv && stat -c %b oldgnu gnu pax-* bsdtar'))
    .trim()
    .split('\n');
  expect(blocks.map(Number).filter((count) => count < 200)).toHaveLength(6);
  expect(await operator.sh('m1', 'ls /opt/a; cat /opt/a/new; ls /srv/new /srv/old 2>&1 | wc -l')).toBe(
    'new\nnew\n2',
  );
  await drop('m1', 'mixed');
});

/** A tar archive without the zeros at its end. */
function withoutEnd(tar: Buffer): Buffer {
  let end = tar.length;
  while (tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return tar.subarray(0, end);
}

/** Without a network: a layer with busybox and a program. */
const OCI = `
mkdir -p root/bin root/dev root/proc root/sys root/run root/tmp
cp "$BUSYBOX/rootfs/bin/busybox" root/bin; ln -s busybox root/bin/sh; ln -s busybox root/bin/sleep; ln -s busybox root/bin/cat
printf '#!/bin/sh\\necho "$0" > /run/started\\nexec sleep 86400\\n' > root/bin/app; chmod 755 root/bin/app
umoci init --layout made && umoci new --image made:latest && umoci insert --image made:latest root /
skopeo --insecure-policy copy oci:made:latest oci-archive:app.tar:localhost/app:latest
skopeo --insecure-policy copy oci:made:latest docker-archive:docker.tar:localhost/app:latest`;

it('an OCI archive is refused with the way to an image, and the recipe of docs/images.md makes one of it', async () => {
  const folder = join(scratch.path, 'oci');
  await mkdir(folder);
  await sh(OCI, folder);
  for (const [name, marker, kind] of [
    ['app.tar', 'oci-layout', 'oci-archive:FILE'],
    ['docker.tar', 'manifest.json', 'docker-archive:FILE'],
  ] as const) {
    for (const words of [[join(folder, name)], [files.metadata, join(folder, name)]]) {
      const refused = await daemon.porthole('image', 'import', ...words);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        `Error: This is an image of Podman or Docker, not of LXD: it has ${marker}.`,
      );
      expect(refused.stderr).toContain(kind);
      expect(refused.stderr).toContain('docs/images.md');
    }
  }
  const page = await readFile(join(REPOSITORY, 'docs/images.md'), 'utf8');
  const recipe = /^```sh\n(.*?)^```$/ms.exec(page)?.[1];
  await sh(recipe!, folder);
  expect(await operator.sh('a1', 'cat /run/started')).toBe('/bin/app');
  expect(await daemon.must('image', 'get-property', 'app', 'description')).toBe('app\n');
  await drop('a1', 'app');
});
