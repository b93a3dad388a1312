import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Header } from 'tar-stream';
import { sharedLibraries } from './elf.ts';

/** A file, folder or link of an image: its header without times, and its content when it is a file. */
export interface TreeEntry {
  readonly header: Pick<Header, 'name' | 'type' | 'mode'> & { readonly linkname?: string };
  readonly content?: Buffer;
}

/** Programs of this host that go into the image. */
export interface Programs {
  /** A static busybox (Debian: busybox-static). */
  readonly busybox: string;
  /** OpenBSD's netcat (Debian: netcat-openbsd). */
  readonly netcat: string;
}

const INIT = fileURLToPath(new URL('./files/init.sh', import.meta.url));
const DEVLXD = fileURLToPath(new URL('./files/devlxd.sh', import.meta.url));
const EXECUTABLE = 0o755;
const PLAIN = 0o644;

/** The image has its own init; linuxrc is another name of busybox's init. */
const OMITTED_APPLETS = new Set(['busybox', 'init', 'linuxrc']);

/** Folders of the root filesystem with their modes. */
const FOLDERS: Readonly<Record<string, number>> = {
  '': EXECUTABLE,
  bin: EXECUTABLE,
  dev: EXECUTABLE,
  etc: EXECUTABLE,
  home: EXECUTABLE,
  mnt: EXECUTABLE,
  opt: EXECUTABLE,
  proc: 0o555,
  root: 0o700,
  run: EXECUTABLE,
  sbin: EXECUTABLE,
  srv: EXECUTABLE,
  sys: 0o555,
  tmp: 0o1777,
  usr: EXECUTABLE,
  'usr/bin': EXECUTABLE,
  'usr/local': EXECUTABLE,
  'usr/local/bin': EXECUTABLE,
  'usr/sbin': EXECUTABLE,
  var: EXECUTABLE,
  'var/lib': EXECUTABLE,
  'var/log': EXECUTABLE,
  'var/tmp': 0o1777,
};

const TEXTS: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n',
  'etc/profile': 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n',
};

/** All entries of the image's `rootfs/`, folders before their contents, sorted. */
export async function busyboxTree(
  programs: Programs,
  applets: readonly string[],
  osRelease: string,
): Promise<readonly TreeEntry[]> {
  const texts = Object.entries({ ...TEXTS, 'etc/os-release': osRelease });
  const links = applets.filter((applet) => !OMITTED_APPLETS.has(applet));
  const contents = [
    await executable('bin/busybox', programs.busybox),
    await executable('sbin/init', INIT),
    await executable('usr/bin/devlxd', DEVLXD),
    await executable('usr/bin/nc.openbsd', programs.netcat),
    ...(await Promise.all(
      (await sharedLibraries(programs.netcat)).map((path) => executable(path.slice(1), path)),
    )),
    ...texts.map(([name, text]) => fileEntry(name, PLAIN, Buffer.from(text))),
    ...links.map((applet) => linkEntry(`bin/${applet}`, 'busybox')),
  ];
  const entries = [...foldersOf(contents), ...contents];
  return entries.sort((one, other) => (one.header.name < other.header.name ? -1 : 1));
}

function foldersOf(contents: readonly TreeEntry[]): readonly TreeEntry[] {
  const folders = new Map(Object.entries(FOLDERS));
  for (const { header } of contents) {
    for (let parent = dirname(header.name); !folders.has(rootless(parent)); parent = dirname(parent)) {
      folders.set(rootless(parent), EXECUTABLE);
    }
  }
  return [...folders].map(([name, mode]) => ({ header: { name, type: 'directory', mode } }));
}

const rootless = (path: string) => (path === '.' ? '' : path);

async function executable(name: string, path: string): Promise<TreeEntry> {
  return fileEntry(name, EXECUTABLE, await readFile(path));
}

function fileEntry(name: string, mode: number, content: Buffer): TreeEntry {
  return { header: { name, type: 'file', mode }, content };
}

function linkEntry(name: string, linkname: string): TreeEntry {
  return { header: { name, type: 'symlink', mode: 0o777, linkname } };
}
