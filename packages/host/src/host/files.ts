import { Readable } from 'node:stream';
import { bytesOfText, nameInQuery } from '../base/byte-text.ts';
import { hostError } from '../core/host-errors.ts';
import { fileHeaders, parseFileHeaders } from '../wire/file.ts';
import { type Answer, type Call, done, type Edge, param } from './call.ts';

/**
 * GET /1.0/instances/NAME/files?path=PATH: the bytes of a file, the names in a directory, the text of a link.
 */
export async function getFile({ backend }: Edge, call: Call): Promise<Answer> {
  const found = await backend.files.read(param(call, 'name'), pathOf(call));
  const headers = fileHeaders(found);
  if (found.type === 'directory') return { kind: 'sync', metadata: found.entries, headers };
  const type = { 'Content-Type': 'application/octet-stream' };
  if (found.type === 'symlink')
    return raw({ ...headers, ...type }, Readable.from([bytesOfText(found.target)]));
  const length = found.size > 0 ? { 'Content-Length': found.size } : {};
  return raw({ ...headers, ...type, ...length }, found.content);
}

/** HEAD of the same. */
export async function headFile({ backend }: Edge, call: Call): Promise<Answer> {
  const facts = await backend.files.stat(param(call, 'name'), pathOf(call));
  return raw(fileHeaders(facts), Readable.from([]));
}

/** POST: writes a file, makes a directory or a link. */
export async function postFile({ backend }: Edge, call: Call): Promise<Answer> {
  const file = parseFileHeaders(call.headers);
  await backend.files.write(param(call, 'name'), pathOf(call), { ...file, content: call.body });
  return done();
}

/** DELETE: a file or an empty directory. */
export async function deleteFile({ backend }: Edge, call: Call): Promise<Answer> {
  await backend.files.delete(param(call, 'name'), pathOf(call));
  return done();
}

function raw(headers: Readonly<Record<string, string | number>>, data: Readable): Answer {
  return { kind: 'raw', headers, data };
}

/**
 * The bytes of the path; one without a leading slash starts at the instance's root, too.
 * @throws file-no-path
 */
function pathOf(call: Call): string {
  const path = nameInQuery(call.rawQuery, 'path');
  if (!path) throw hostError('file-no-path');
  if (path.includes('\0')) throw hostError('bad-request', 'path: must not contain a NUL byte');
  return path.startsWith('/') ? path : `/${path}`;
}
