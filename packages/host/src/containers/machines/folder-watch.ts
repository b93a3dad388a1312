import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Tells of changes in a folder that may come later, or be another one by then. */
export class FolderWatch {
  readonly #path: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  /** Identifies the folder that is watched. */
  #watched = '';
  #stopped = false;

  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  /** Watches the folder that is there now; while there is none, the one in which it would be. */
  async refresh(): Promise<void> {
    const folders = [this.#path, dirname(this.#path)];
    for (;;) {
      const found = await Promise.all(folders.map(identityOf));
      const at = found[0] === '' ? 1 : 0;
      // Looked at again after each new watch: the folder may have come in between.
      if (found[at] === this.#watched || this.#stopped) return;
      this.#end();
      if (!this.#begin(folders[at] as string, found[at] as string)) return;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#end();
  }

  /** @returns false if there is nothing to watch, or the kernel has no room for a watch: the next refresh tries again */
  #begin(path: string, identity: string): boolean {
    if (identity === '') return false;
    try {
      this.#watcher = watch(path, () => this.#onChange());
    } catch {
      return false;
    }
    this.#watcher.on('error', () => this.#end());
    this.#watched = identity;
    return true;
  }

  #end(): void {
    this.#watcher?.close();
    this.#watched = '';
  }
}

/** A new folder may have the number of one that was removed. */
async function identityOf(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino, birthtimeNs }) => `${dev}:${ino}:${birthtimeNs}`,
    () => '',
  );
}
