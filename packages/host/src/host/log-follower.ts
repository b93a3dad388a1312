import { existsSync, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FILE_CHUNK_BYTES, LOG_PACE_MS } from './host-limits.ts';

/**
 * Reads a log that grows, as `tail -F` does: also when another file takes its place, or it is emptied.
 * Ends when the folder of the log is gone.
 */
export class LogFollower {
  readonly #path: string;
  readonly #watcher: FSWatcher;
  #handle: FileHandle | undefined;
  #position = 0;
  #stopped = false;
  #changed = Promise.withResolvers<void>();

  constructor(path: string) {
    this.#path = path;
    // Before the first byte is read, so that no change is missed.
    this.#watcher = watch(dirname(path), { persistent: false }, () => this.#changed.resolve());
    this.#watcher.on('error', () => this.stop());
  }

  /** The bytes as they come. */
  async *read(): AsyncGenerator<Buffer> {
    try {
      while (!this.#stopped) {
        this.#changed = Promise.withResolvers<void>();
        yield* this.#available();
        if (this.#stopped || !existsSync(dirname(this.#path))) return;
        await this.#changed.promise;
        // The instance decides how often the log changes.
        await sleep(LOG_PACE_MS, undefined, { ref: false });
      }
    } finally {
      this.stop();
      await this.#handle?.close();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#watcher.close();
    this.#changed.resolve();
  }

  /** What is there now, also of a file that has taken the place of the one that was read before. */
  async *#available(): AsyncGenerator<Buffer> {
    yield* this.#rest();
    if (await this.#isCurrent()) return;
    await this.#handle?.close();
    this.#handle = await open(this.#path, 'r').catch(() => undefined);
    this.#position = 0;
    yield* this.#rest();
  }

  async *#rest(): AsyncGenerator<Buffer> {
    if (!this.#handle) return;
    const { size } = await this.#handle.stat();
    if (size < this.#position) this.#position = 0;
    while (this.#position < size && !this.#stopped) {
      const length = Math.min(size - this.#position, FILE_CHUNK_BYTES);
      const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(length), 0, length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async #isCurrent(): Promise<boolean> {
    const there = await stat(this.#path).catch(() => undefined);
    const held = await this.#handle?.stat();
    return there?.ino === held?.ino;
  }
}
