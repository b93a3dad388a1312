import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { moveSocket } from '../base/socket-file.ts';

/** Members of this group may use the host API, if the group exists. */
const SOCKET_GROUP = 'porthole';

/** Owner and group. */
const SOCKET_MODE = 0o660;

/**
 * The folder in which the socket is bound. Its name is short, since the path of a socket may have only 107
 * bytes. It stays, since a full disk has no room for a new folder.
 */
const FOLDER = '.p';
const PRIVATE = 0o700;

/**
 * Puts a listening socket at a path with its final owner and mode: it is bound in a folder that only root can
 * enter and moved from there, so that it is never open to others and replaces a stale one in one step.
 * @param listen binds and listens at the path it is given
 * @returns a function that removes the socket, unless another one has taken its place
 * @throws Error when another daemon still listens at the path
 */
export async function placeSocket(
  path: string,
  listen: (path: string) => Promise<unknown>,
): Promise<() => Promise<void>> {
  if (await isAlive(path)) throw new Error(`Another daemon listens on ${path}`);
  const folder = join(dirname(path), FOLDER);
  await mkdir(folder, { recursive: true, mode: PRIVATE });
  await chmod(folder, PRIVATE);
  const socket = join(folder, 's');
  await rm(socket, { force: true });
  await listen(socket);
  const owner = { uid: process.geteuid?.() ?? 0, gid: await groupId() };
  return moveSocket(socket, path, { mode: SOCKET_MODE, owner });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function groupId(): Promise<number> {
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const line = groups.split('\n').find((entry) => entry.startsWith(`${SOCKET_GROUP}:`));
  return line ? Number(line.split(':')[2]) : (process.getegid?.() ?? 0);
}
