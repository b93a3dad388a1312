import { chmodSync, cpSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const FOLDER_MODE = 0o755;

/** A folder with the files of a package, which become independent of the machine: fixed modes and times. */
export class Stage {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  /** The path of a file or folder here; its parents are made. */
  at(path: string): string {
    const place = join(this.root, path);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    const place = this.at(path);
    writeFileSync(place, content);
    chmodSync(place, mode);
  }

  /** Text in compressed form, without the time. */
  writeCompressed(path: string, content: string): void {
    this.write(path, gzipSync(content, { level: 9 }));
  }

  copy(source: string, path: string, mode = 0o644): void {
    const place = this.at(path);
    cpSync(source, place);
    chmodSync(place, mode);
  }

  link(path: string, target: string): void {
    symlinkSync(target, this.at(path));
  }

  /**
   * Gives every file `date`, and modes that depend on nothing but this.
   * @param isProgram whether a file, by its path from the root, can be executed
   */
  settle(date: Date, isProgram: (path: string) => boolean): void {
    for (const { path, kind } of this.entries()) {
      const place = join(this.root, path);
      if (kind === 'folder') chmodSync(place, FOLDER_MODE);
      if (kind === 'file') chmodSync(place, isProgram(path) ? 0o755 : 0o644);
      lutimesSync(place, date, date);
    }
    chmodSync(this.root, FOLDER_MODE);
    lutimesSync(this.root, date, date);
  }

  /** All that is in it, in one order everywhere: files before the folders that they are in. */
  entries(folder = ''): { path: string; kind: 'file' | 'folder' | 'link' }[] {
    const found = readdirSync(join(this.root, folder), { withFileTypes: true });
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    return found.flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return [...this.entries(path), { path, kind: 'folder' as const }];
      return [{ path, kind: entry.isSymbolicLink() ? ('link' as const) : ('file' as const) }];
    });
  }
}
