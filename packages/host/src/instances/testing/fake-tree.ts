import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { hostError } from '../../core/host-errors.ts';
import type { FileFacts, FoundFile } from '../../runtimes/contract/files.ts';
import type { FileRequest } from '../../runtimes/contract/runtime.ts';
import type { TemplateFile } from '../../templates/plan.ts';

interface Stored {
  readonly facts: FileFacts;
  readonly bytes: Buffer;
}

const NOTHING = { entries: [], target: '', content: Readable.from([]) };

/** The files of one instance in memory, by absolute path; links are kept, not followed. */
export class FakeTree {
  readonly stored = new Map<string, Stored>();

  async work(request: FileRequest, input: Readable | null): Promise<FoundFile> {
    const path = request.path.startsWith('/') ? request.path : `/${request.path}`;
    if (request.work === 'fill') return this.#fill(input);
    if (!('uid' in request)) {
      const found = this.stored.get(path);
      if (!found) throw hostError('file-not-found');
      if (request.work === 'remove') this.stored.delete(path);
      return request.work === 'read' ? contentOf(found) : { ...found.facts, ...NOTHING };
    }
    const before = this.stored.get(path);
    const kept = request.append && before ? [before.bytes] : [];
    const bytes = Buffer.concat([...kept, ...(input ? [await buffer(input)] : [])]);
    const { type, uid, gid, mode } = before?.facts ?? { ...request, type: request.work };
    const modified = '2024-01-02T03:04:05.678Z';
    const facts = { type, uid, gid, mode: mode ?? 0o644, modified, size: bytes.length };
    this.stored.set(path, { facts, bytes });
    return { ...facts, ...NOTHING };
  }

  async #fill(input: Readable | null): Promise<FoundFile> {
    const files = JSON.parse(input ? String(await buffer(input)) : '[]') as TemplateFile[];
    const facts = { type: 'file', uid: 0, gid: 0, mode: 0o644, modified: '', size: 0 } as const;
    const failed: string[] = [];
    for (const { path, text, createOnly, mayFail } of files) {
      if (this.stored.get(path)?.facts.type === 'directory') {
        const why = `${path}: is a directory`;
        if (!mayFail) throw hostError('file-failed', why);
        failed.push(why);
        continue;
      }
      if (createOnly && this.stored.has(path)) continue;
      this.stored.set(path, { facts: { ...facts, size: text.length }, bytes: Buffer.from(text) });
    }
    return { ...facts, ...NOTHING, entries: failed };
  }
}

function contentOf({ facts, bytes }: Stored): FoundFile {
  const isFile = facts.type === 'file';
  return {
    ...facts,
    entries: facts.type === 'directory' ? ['a', 'b'] : [],
    target: facts.type === 'symlink' ? bytes.toString() : '',
    content: Readable.from(isFile && bytes.length > 0 ? [bytes] : []),
  };
}
