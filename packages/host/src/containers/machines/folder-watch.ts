import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Watches a folder for changes, also if the folder does not exist yet or is replaced by a new one. */
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

  /** Watches the folder that exists now; if there is none, its parent folder. */
  async refresh(): Promise<void> {
    const folders = [this.#path, dirname(this.#path)];
    for (;;) {
      const found = await Promise.all(folders.map(identityOf));
      const at = found[0] === '' ? 1 : 0;
      // This looks again after each new watch, because the folder may have been made in between.
      if (found[at] === this.#watched || this.#stopped) return;
      this.#end();
      if (!this.#begin(folders[at] as string, found[at] as string)) return;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#end();
  }

  /** @returns false if there is nothing to watch, or the kernel refuses another watch; the next refresh tries again */
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

/** Identifies a folder; empty if there is none. A new folder may have the inode number of a removed one. */
async function identityOf(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino, birthtimeNs }) => `${dev}:${ino}:${birthtimeNs}`,
    () => '',
  );
}
