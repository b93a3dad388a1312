import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TIMEOUT_MS = 15 * 60_000;

/** Debian's name of this machine's processor. */
export const OWN_ARCHITECTURE = process.arch === 'x64' ? 'amd64' : 'arm64';

/** Packages as `npm run package` makes them, in a folder that goes away with them. */
export class BuiltPackages {
  readonly folder: string;

  private constructor() {
    this.folder = mkdtempSync('/var/tmp/porthole-test-packages-');
  }

  /** @param args further options of `npm run package` */
  static async make(...args: string[]): Promise<BuiltPackages> {
    const built = new BuiltPackages();
    const words = ['tools/package/main.ts', '--level', '0', '--out', built.folder, ...args];
    const made = await run(process.execPath, words, { cwd: ROOT, timeoutMs: TIMEOUT_MS });
    if (made.ok) return built;
    built[Symbol.dispose]();
    throw new Error(`npm run package: ${made.failure}\n${made.stderr.slice(-2000)}`);
  }

  /** The path of the only file with this suffix. */
  path(end: string): string {
    const names = readdirSync(this.folder).filter((name) => name.endsWith(end));
    if (names.length !== 1) throw new Error(`one file ${end} is wanted, there are ${names.length}`);
    return join(this.folder, names[0] as string);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
