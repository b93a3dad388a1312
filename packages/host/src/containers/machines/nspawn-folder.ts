import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountsAtGuestApi } from '../records/nspawn.ts';
import { readRootFile } from '../records/root-file.ts';

const SUFFIX = '.nspawn';
/** Only root can make files there; it stands against a mistake. */
const FILES_MAX = 4_096;
/** Settings are a few lines. */
const FILE_MAX_BYTES = 64 * 1024;

/** The folder of settings of machines: those that mount the guest API are the machines to adopt. */
export class NspawnFolder {
  readonly path: string;
  readonly #devlxd: readonly string[];
  /** What was read from each file, and which version of it. */
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

  /** The names of the machines to adopt, whether they run or not. */
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

/** Differs when a file has changed: its bytes, its owner or its mode. Empty if there is no file. */
export async function versionOf(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    return `${ino}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return '';
  }
}
