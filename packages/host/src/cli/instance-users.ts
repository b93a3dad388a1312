import { Readable } from 'node:stream';
import { buffer as readBuffer } from 'node:stream/consumers';
import { ApiError, hasStatus } from '../client/client-errors.ts';
import type { HostClient } from '../client/host-client.ts';
import type { StringMap } from '../client/types.ts';
import { readThroughLinks } from './file-links.ts';

/** A user of an instance, as its own files tell. */
export interface InstanceUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** The ids of a command, and what comes along with a user's name. */
export interface RunAs {
  readonly user: number;
  readonly group: number;
  readonly environment: StringMap;
  /** Empty: the daemon chooses. */
  readonly cwd: string;
}

/** The instance decides how long its file is. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

const NOT_FOUND = 404;
const ROOT = 0;

/** 2^32-1 means "no id". */
const ID_MAX = 2 ** 32 - 2;

/**
 * Finds out as whom a command runs: by numbers, or by names out of the instance's own /etc/passwd and
 * /etc/group. A name of a user brings its group, its home directory and USER along.
 * @throws ApiError when the instance does not have that user or group
 */
export async function runAs(
  client: HostClient,
  instance: string,
  user: string | undefined,
  group: string | undefined,
): Promise<RunAs> {
  const named = user === undefined || isId(user) ? undefined : await findUser(client, instance, user);
  const gid = group === undefined ? (named?.gid ?? ROOT) : await groupId(client, instance, group);
  if (!named) return { user: Number(user ?? ROOT), group: gid, environment: {}, cwd: '' };
  return { user: named.uid, group: gid, environment: environmentOf(named), cwd: named.home };
}

/** The variables that a login sets, except those of the shell. */
export function environmentOf({ name, home, shell }: InstanceUser): StringMap {
  return { HOME: home, USER: name, LOGNAME: name, ...(shell ? { SHELL: shell } : {}) };
}

/** A user of an instance, by name or number. @throws ApiError when there is none */
export async function findUser(client: HostClient, instance: string, user: string): Promise<InstanceUser> {
  for (const fields of await rowsOf(client, instance, '/etc/passwd')) {
    const [name = '', , uid = '', gid = '', , home = '', shell = ''] = fields;
    if ((name !== user && uid !== user) || !isId(uid) || !isId(gid)) continue;
    return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell };
  }
  throw new ApiError(0, `There is no user "${user}" in ${instance}: its /etc/passwd has none`);
}

async function groupId(client: HostClient, instance: string, group: string): Promise<number> {
  if (isId(group)) return Number(group);
  for (const [name, , gid = ''] of await rowsOf(client, instance, '/etc/group'))
    if (name === group && isId(gid)) return Number(gid);
  throw new ApiError(0, `There is no group "${group}" in ${instance}: its /etc/group has none`);
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= ID_MAX;
}

/** The lines of a file as passwd(5) and group(5) describe them. */
async function rowsOf(client: HostClient, instance: string, path: string): Promise<string[][]> {
  try {
    const content = await readThroughLinks(client, { instance, path });
    const text = (await readBuffer(Readable.from(limited(content, `${instance}${path}`)))).toString('utf8');
    return text.split('\n').map((line) => line.split(':'));
  } catch (error) {
    if (!hasStatus(error, NOT_FOUND) || /instance/i.test(error.message)) throw error;
    throw new ApiError(NOT_FOUND, `${instance} has no ${path} that could name a user: give a number`);
  }
}

async function* limited(content: Readable, name: string): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > FILE_BYTES_MAX) throw new ApiError(0, `${name} is larger than ${FILE_BYTES_MAX} bytes`);
    yield chunk;
  }
}
