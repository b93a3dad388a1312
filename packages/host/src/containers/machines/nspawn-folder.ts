import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountsAtGuestApi } from '../records/nspawn.ts';
import { readRootFile } from '../records/root-file.ts';

const SUFFIX = '.nspawn';
/** Only root can make files there, so this is only a guard against mistakes. */
const FILES_MAX = 4_096;
/** The settings of a machine have a few lines. */
const FILE_MAX_BYTES = 64 * 1024;

/** The folder with the settings of machines. The daemon adopts the machines whose settings mount the guest API. */
export class NspawnFolder {
  readonly path: string;
  readonly #devlxd: readonly string[];
  /** By file: the version that was read, and whether it mounts the guest API. */
  #known = new Map<string, { readonly version: string; readonly isOurs: boolean }>();

  /** @param devlxd paths of the folder of the guest API's socket */
  constructor(path: string, devlxd: readonly string[]) {
    this.path = path;
    this.#devlxd = devlxd;
  }

  /** The path of a machine's settings. */
  fileOf(machine: string): string {
    return join(this.path, machine + SUFFIX);
  }

  /** The names of the machines to adopt, running or not. */
  async names(): Promise<ReadonlySet<string>> {
    const files = (await readdir(this.path).catch(() => [])).filter((each) => each.endsWith(SUFFIX));
    const before = this.#known;
    this.#known = new Map();
    const names = new Set<string>();
    for (const file of files.slice(0, FILES_MAX)) {
      const version = await versionOf(join(this.path, file));
      const known = before.get(file);
      const isOurs = known?.version === version ? known.isOurs : await this.#isOurs(file);
      this.#known.set(file, { version, isOurs });
      if (isOurs) names.add(file.slice(0, -SUFFIX.length));
    }
    return names;
  }

  async #isOurs(file: string): Promise<boolean> {
    const text = await readRootFile(join(this.path, file), FILE_MAX_BYTES);
    return text !== null && mountsAtGuestApi(text, this.#devlxd);
  }
}

/** A text that changes with a file's bytes, owner and mode. Empty if there is no file. */
export async function versionOf(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    return `${ino}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return '';
  }
}
