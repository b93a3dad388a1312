import { parsedJson } from '../../base/parsed-json.ts';
import { isYamlMap } from '../../base/yaml-map.ts';
import type { TarEntry } from './tar-entries.ts';

/** Files of one container or image. They hold a few KiB; the limit keeps the parsing of one below some 10 ms. */
const FILE_MAX_BYTES = 1024 * 1024;

/** May be written by the group or by others. */
const OTHERS_WRITE = 0o022;

/** What was found at paths at one time. */
export class Looked {
  readonly #found: ReadonlyMap<string, TarEntry>;
  readonly #missing: ReadonlySet<string>;
  readonly #trusted: readonly number[];

  /**
   * @param found by path; a folder that was asked for as such has `/.` at the end
   * @param missing the paths where nothing is, for certain
   * @param trusted the users whose files count
   */
  constructor(
    found: ReadonlyMap<string, TarEntry>,
    missing: ReadonlySet<string>,
    trusted: readonly number[],
  ) {
    this.#found = found;
    this.#missing = missing;
    this.#trusted = trusted;
  }

  /** Whether there is certainly nothing at the path. */
  isMissing(path: string): boolean {
    return this.#missing.has(path);
  }

  /** Whether there is a folder, which may be at the end of a link. */
  isFolder(path: string): boolean {
    return this.#found.get(`${path}/.`)?.kind === 'folder';
  }

  /** Whether there is a folder that only trusted users can write. */
  isOwnFolder(path: string): boolean {
    return this.isFolder(path) && this.#isOwn(this.#found.get(`${path}/.`));
  }

  /** Whether there is a plain file that only trusted users can write. */
  isOwnFile(path: string): boolean {
    const entry = this.#found.get(path);
    return entry?.kind === 'file' && this.#isOwn(entry);
  }

  /** The bytes of a plain file, whoever can write it; null if there is none. */
  bytes(path: string): Buffer | null {
    const entry = this.#found.get(path);
    return entry?.kind === 'file' ? entry.content : null;
  }

  /** The text of a file that only trusted users can write; null if there is none, or it is longer, or not UTF-8. */
  ownText(path: string, maxBytes = FILE_MAX_BYTES): string | null {
    const bytes = this.isOwnFile(path) ? this.bytes(path) : null;
    if (bytes === null || bytes.length > maxBytes) return null;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return null;
    }
  }

  /** The object that such a file holds as JSON; null if it cannot be read. */
  ownObject(path: string): Readonly<Record<string, unknown>> | null {
    const json = parsedJson(this.ownText(path));
    return isYamlMap(json) ? json : null;
  }

  /** The names of what is directly in a folder that was asked for with all that is in it. */
  names(folder: string): string[] {
    const beginning = `${folder}/`;
    return [...this.#found.keys()]
      .filter((path) => path.startsWith(beginning))
      .map((path) => path.slice(beginning.length))
      .filter((name) => name !== '' && name !== '.' && !name.includes('/'));
  }

  #isOwn(entry: TarEntry | undefined): boolean {
    return entry !== undefined && this.#trusted.includes(entry.uid) && (entry.mode & OTHERS_WRITE) === 0;
  }
}
