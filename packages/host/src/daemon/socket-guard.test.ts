import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { createLog } from '../base/log.ts';
import { guardSocket } from './socket-guard.ts';

let state: string;
let folder: string;
let socket: string;
let server: Server;
let stop: () => Promise<void>;
let inode: number;

beforeEach(async () => {
  state = mkdtempSync('/var/tmp/porthole-guard-');
  folder = join(state, 'devlxd');
  mkdirSync(folder);
  socket = join(folder, 'sock');
  server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  chmodSync(socket, 0o666);
  inode = lstatSync(socket).ino;
  stop = await guardSocket(socket, createLog('error'));
});
afterEach(async () => {
  await stop();
  server.close();
  rmSync(state, { recursive: true });
});

const isBack = () => {
  const found = lstatSync(socket, { throwIfNoEntry: false });
  return (
    found?.ino === inode && (found.mode & 0o7777) === 0o666 && (lstatSync(folder).mode & 0o7777) === 0o755
  );
};
const back = () => expect.poll(isBack, { timeout: 10_000, interval: 2 }).toBe(true);

it.each<[string, () => void]>([
  ['removed', () => rmSync(socket)],
  ['renamed', () => renameSync(socket, join(folder, 'other'))],
  ['shut', () => chmodSync(socket, 0)],
  ['in a folder that is shut', () => chmodSync(folder, 0o700)],
  [
    'replaced by a file',
    () => {
      rmSync(socket);
      writeFileSync(socket, 'mine');
    },
  ],
  [
    'replaced by a link',
    () => {
      rmSync(socket);
      symlinkSync('/etc/passwd', socket);
    },
  ],
  [
    'replaced by a folder',
    () => {
      rmSync(socket);
      mkdirSync(join(socket, 'deep'), { recursive: true });
    },
  ],
])('the socket is put back when it is %s', async (_, tamper) => {
  tamper();
  expect(isBack()).toBe(false);
  await back();
  expect(lstatSync('/etc/passwd').mode & 0o7777).toBe(0o644);
});

it('the socket is put back each time', async () => {
  for (let times = 0; times < 20; times++) {
    rmSync(socket);
    await back();
  }
});

it('the guard leaves no second name of the socket', async () => {
  await stop();
  expect(lstatSync(socket).nlink).toBe(1);
  rmSync(socket);
});
