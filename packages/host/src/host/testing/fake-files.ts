import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { hostError } from '../../core/errors.ts';
import type { NewFile } from '../../instances/requests.ts';
import type { FileFacts } from '../../runtimes/contract/files.ts';
import type { FileCases } from '../backend.ts';

interface Stored {
  readonly facts: FileFacts;
  readonly bytes: Buffer;
}

/** The files of one instance in memory, by absolute path; links are kept, not followed. */
export class FakeFiles implements FileCases {
  readonly stored = new Map<string, Stored>();

  async read(_name: string, path: string) {
    const { facts, bytes } = this.#find(path);
    const isFile = facts.type === 'file';
    return {
      ...facts,
      entries: facts.type === 'directory' ? ['a', 'b'] : [],
      target: facts.type === 'symlink' ? bytes.toString() : '',
      content: Readable.from(isFile && bytes.length > 0 ? [bytes] : []),
    };
  }

  async stat(_name: string, path: string): Promise<FileFacts> {
    return this.#find(path).facts;
  }

  async write(_name: string, path: string, { content, append, ...file }: NewFile): Promise<void> {
    const before = this.stored.get(absolute(path));
    const kept = append && before ? [before.bytes] : [];
    const bytes = Buffer.concat([...kept, await buffer(content)]);
    const { type, uid, gid } = before?.facts ?? file;
    const mode = before?.facts.mode ?? file.mode ?? 0o644;
    const facts = { type, uid, gid, mode, modified: '2024-01-02T03:04:05.678Z', size: bytes.length };
    this.stored.set(absolute(path), { facts, bytes });
  }

  async delete(_name: string, path: string): Promise<void> {
    this.#find(path);
    this.stored.delete(absolute(path));
  }

  #find(path: string): Stored {
    const found = this.stored.get(absolute(path));
    if (!found) throw hostError('file-not-found');
    return found;
  }
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
