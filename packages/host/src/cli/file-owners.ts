import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOfText, textOfBytes } from '../base/byte-text.ts';
import { ApiError } from '../client/client-errors.ts';
import { path } from '../client/host-client.ts';
import { isTrue } from '../core/booleans.ts';
import { IDS_PER_INSTANCE } from '../core/host-ids.ts';
import type { InstanceJson } from '../wire/instance.ts';
import type { Session } from './session.ts';

/**
 * Checks, before anything is sent, that an instance can have the owners of all files in local directories.
 * @throws ApiError that names the first file whose owner it cannot have
 */
export async function checkOwners(
  session: Session,
  instance: string,
  sources: readonly string[],
): Promise<void> {
  for (const source of sources) {
    const wrong = await firstBeyond(source);
    if (!wrong) continue;
    const url = path`/1.0/instances/${instance}`;
    const { expanded_config: config } = await session.client.get<InstanceJson>(url);
    if (isTrue(config['security.privileged'], false)) return;
    const why = `${instance} has no ${wrong.kind} ${wrong.id}, only 0 to ${IDS_PER_INSTANCE - 1}`;
    throw new ApiError(0, `${wrong.file}: ${why}; nothing was pushed`);
  }
}

interface Beyond {
  readonly file: string;
  readonly kind: 'uid' | 'gid';
  readonly id: number;
}

/** The first file in a tree with an owner that instances without privileges do not have. */
async function firstBeyond(file: string): Promise<Beyond | null> {
  const local = bytesOfText(file);
  const facts = await lstat(local);
  for (const kind of ['uid', 'gid'] as const)
    if (facts[kind] >= IDS_PER_INSTANCE) return { file, kind, id: facts[kind] };
  if (!facts.isDirectory()) return null;
  for (const name of await readdir(local, { encoding: 'buffer' })) {
    const found = await firstBeyond(join(file, textOfBytes(name)));
    if (found) return found;
  }
  return null;
}
