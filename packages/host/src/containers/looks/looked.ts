import { parsedJson } from '../../base/parsed-json.ts';
import { isYamlMap } from '../../base/yaml-map.ts';
import type { TarEntry } from './tar-entries.ts';

/** A file of one container or image has a few KiB. With this limit, parsing takes about 10 ms at most. */
const FILE_MAX_BYTES = 1024 * 1024;

/** Mode bits with which the group or others may write. */
const OTHERS_WRITE = 0o022;

/** What was found at paths at one time. */
export class Looked {
  readonly #found: ReadonlyMap<string, TarEntry>;
  readonly #missing: ReadonlySet<string>;
  readonly #trusted: readonly number[];

  /**
   * @param found by path; the path of a folder that was asked for as a folder ends with `/.`
   * @param missing the paths at which there is certainly nothing
   * @param trusted the users whose files are used
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

  /** Whether there is a folder. A link may lead to it. */
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

  /** The bytes of a plain file, also if untrusted users can write it; null if there is none. */
  bytes(path: string): Buffer | null {
    const entry = this.#found.get(path);
    return entry?.kind === 'file' ? entry.content : null;
  }

  /** The text of a file that only trusted users can write; null if there is none, or it is too long or not UTF-8. */
  ownText(path: string, maxBytes = FILE_MAX_BYTES): string | null {
    const bytes = this.isOwnFile(path) ? this.bytes(path) : null;
    if (bytes === null || bytes.length > maxBytes) return null;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return null;
    }
  }

  /** The JSON object in a file that only trusted users can write; null if there is none. */
  ownObject(path: string): Readonly<Record<string, unknown>> | null {
    const json = parsedJson(this.ownText(path));
    return isYamlMap(json) ? json : null;
  }

  /** The names of the files and folders directly in a folder that was asked for as a tree. */
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
