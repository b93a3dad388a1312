import { open, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Answer, type Call, type Edge, param } from './call.ts';

const HEADERS = { 'Content-Type': 'application/octet-stream' };

/** GET /1.0/instances/NAME/logs/lxc.log; empty while the instance has not run yet, as in LXD. */
export async function getLog(edge: Edge, call: Call): Promise<Answer> {
  const path = edge.backend.instances.log(param(call, 'name'), call.by);
  if (followsLog(call)) return followed(edge, [path]);
  const file = await open(path, 'r').catch(unlessMissing);
  if (!file) return logAnswer([]);
  const { size } = await file.stat();
  // The log may grow while it is read: only as many bytes as Content-Length promises are sent.
  const data = size > 0 ? file.createReadStream({ start: 0, end: size - 1 }) : Readable.from([]);
  if (size === 0) await file.close();
  return { kind: 'raw', headers: { ...HEADERS, 'Content-Length': size }, data };
}

/** Whether a client wants the rest of a log as it comes (Porthole addition). */
export function followsLog(call: Call): boolean {
  return call.query.get('follow') === '1' || call.query.get('follow') === 'true';
}

/** All of some small files, one after the other; those that are missing are empty. */
export async function logAnswer(paths: readonly string[]): Promise<Answer> {
  const log = await readAll(paths);
  return { kind: 'raw', headers: { ...HEADERS, 'Content-Length': log.length }, data: Readable.from([log]) };
}

/** The same, and what is added to the last one. */
export async function followed({ logs }: Edge, paths: readonly string[]): Promise<Answer> {
  const earlier = await readAll(paths.slice(0, -1));
  return { kind: 'raw', headers: HEADERS, data: logs.follow(earlier, paths.at(-1) ?? '') };
}

async function readAll(paths: readonly string[]): Promise<Buffer> {
  return Buffer.concat(
    await Promise.all(paths.map(async (path) => (await readIfThere(path)) ?? Buffer.alloc(0))),
  );
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(unlessMissing);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
