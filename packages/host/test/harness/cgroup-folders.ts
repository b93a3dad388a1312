import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** A new cgroup copies neither value from its parent, and takes no process until both are set. */
const COPIED = ['cpuset.cpus', 'cpuset.mems'];

/** One cgroup in each hierarchy of the host, all of the same name. */
export class CgroupFolders {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** The hierarchies, as folders of /sys/fs/cgroup; one with an empty name if the host has only cgroup v2. */
  names(): string[] {
    if (existsSync(join(ROOT, 'cgroup.procs'))) return [''];
    return readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, 'cgroup.procs')));
  }

  make(): void {
    for (const name of this.names()) {
      const parent = join(ROOT, name);
      mkdirSync(join(parent, this.#name));
      for (const file of COPIED)
        if (existsSync(join(parent, file)))
          writeFileSync(join(parent, this.#name, file), readFileSync(join(parent, file)));
    }
  }

  /** A script that enters all of them and then becomes the program in its arguments. */
  enterAndRun(): string {
    const files = this.#folders().map((folder) => join(folder, 'cgroup.procs'));
    return `for file in ${files.join(' ')}; do echo $$ > $file || exit 1; done; exec "$@"`;
  }

  /** Moves a process into all of them. */
  enter(pid: number): void {
    for (const folder of this.#folders()) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  }

  /** Processes in them, and in those below. */
  pids(): string[] {
    const files = this.#folders().flatMap((folder) => below(folder));
    return files.flatMap((folder) =>
      readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean),
    );
  }

  /** The cgroups below them. */
  below(): string[] {
    const own = this.#folders();
    return own.flatMap((folder) => below(folder)).filter((folder) => !own.includes(folder));
  }

  remove(): void {
    for (const folder of this.#folders()) for (const each of below(folder)) rmdirSync(each);
  }

  #folders(): string[] {
    return this.names()
      .map((name) => join(ROOT, name, this.#name))
      .filter((folder) => existsSync(folder));
  }
}

/** A cgroup, after all cgroups below it. */
function below(folder: string): string[] {
  const inside = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...inside.flatMap((entry) => below(join(folder, entry.name))), folder];
}
