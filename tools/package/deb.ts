import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tidy/source.ts';
import { controlText } from './control.ts';
import { dependsText } from './depends.ts';
import { readNeeds } from './elf.ts';
import type { Stage } from './stage.ts';
import { debianVersion } from './version.ts';

const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** What a .deb is made of. */
export interface Deb {
  /** The folder that contains all files of the package. */
  readonly stage: Stage;
  readonly version: string;
  /** As Debian calls it. */
  readonly architecture: string;
  readonly date: Date;
  /** The file to write. */
  readonly path: string;
  /** Of xz, 0 to 9. */
  readonly level: number;
}

/** Makes a .deb. The same files give the same bytes. */
export function makeDeb({ stage, version, architecture, date, path, level }: Deb): void {
  const files = stage.entries().filter(({ kind }) => kind === 'file');
  const contents = files.map((file) => [file.path, readFileSync(join(stage.root, file.path))] as const);
  const compiled = globSync('usr/lib/porthole/{bin/node,node_modules/**/*.node}', { cwd: stage.root });
  const depends = dependsText(compiled.sort().map((each) => readNeeds(readFileSync(join(stage.root, each)))));
  const bytes = contents.reduce((sum, [, content]) => sum + content.length, 0);
  const sums = contents.map(
    ([name, content]) => `${createHash('md5').update(content).digest('hex')}  ${name}\n`,
  );
  const facts = { version: debianVersion(version), architecture, depends, bytes };
  stage.write('DEBIAN/control', controlText(facts));
  stage.write('DEBIAN/md5sums', sums.join(''));
  for (const name of SCRIPTS) stage.copy(join(ROOT, 'tools/package/scripts', name), `DEBIAN/${name}`, 0o755);
  stage.settle(date, (each) => isSame(stage, each));
  const options = ['--root-owner-group', '-Zxz', `-z${level}`, '--threads-max=2', '--build'];
  execFileSync('dpkg-deb', [...options, stage.root, path], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The files already have the right modes. */
function isSame(stage: Stage, path: string): boolean {
  return (statSync(join(stage.root, path)).mode & 0o100) !== 0;
}
