import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPLETION_SCRIPTS } from '../../packages/host/src/cli/completion-scripts.ts';
import { build } from '../build/bundle.ts';
import { filesBelow, ROOT, readText } from '../tidy/source.ts';
import { debianChangelog } from './changelog.ts';
import { commandLine } from './command-line.ts';
import { bundledPackages, copyrightText } from './licences.ts';
import { commandPages, daemonPage } from './man-pages.ts';
import { dayOf } from './source-date.ts';
import type { Stage } from './stage.ts';
import { installedUnits } from './units.ts';

/** Where the programs are. */
const LIB = 'usr/lib/porthole';
const DOC = 'usr/share/doc/porthole';

/** Where each shell looks for tab completion. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: 'usr/share/bash-completion/completions/porthole',
  zsh: 'usr/share/zsh/vendor-completions/_porthole',
  fish: 'usr/share/fish/vendor_completions.d/porthole.fish',
};

/** Run when the package is installed. */
const SETUP = ['give-ids.mjs', 'subordinate-ids.mjs', 'fail.mjs'];

/** One package to make. */
export interface Edition {
  readonly version: string;
  readonly date: Date;
  /** As Node calls it. */
  readonly architecture: string;
  /** The folder in which its npm packages were installed. */
  readonly installed: string;
  readonly sbom: string;
}

/** Puts all files of the package in their places. */
export async function fill(stage: Stage, edition: Edition): Promise<void> {
  await addPrograms(stage, edition);
  addUnits(stage);
  addDocumentation(stage, edition);
  stage.settle(edition.date, isProgram);
}

/** Whether a file is one that can be executed. */
function isProgram(path: string): boolean {
  return (
    /^usr\/lib\/porthole\/bin\/(porthole|portholed|porthole-runtime|node)$/.test(path) ||
    path.endsWith('/on-stop.sh')
  );
}

async function addPrograms(stage: Stage, { architecture, installed, version }: Edition): Promise<void> {
  const modules = join(installed, 'node_modules');
  await build({ target: stage.at(LIB), modules, architecture });
  stage.copy(join(modules, `node-linux-${architecture}/bin/node`), `${LIB}/bin/node`);
  for (const name of SETUP) stage.copy(join(ROOT, 'setup', name), `${LIB}/setup/${name}`);
  const manifest = JSON.parse(readFileSync(stage.at(`${LIB}/lib/package.json`), 'utf8'));
  stage.write(`${LIB}/lib/package.json`, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
  stage.link('usr/bin/porthole', '../lib/porthole/bin/porthole');
  stage.link('usr/sbin/portholed', '../lib/porthole/bin/portholed');
}

function addUnits(stage: Stage): void {
  for (const [name, text] of installedUnits()) stage.write(`lib/systemd/system/${name}`, text);
  stage.copy(join(ROOT, 'systemd/porthole.sysusers.conf'), 'usr/lib/sysusers.d/porthole.conf');
  for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) {
    const path = COMPLETIONS[shell];
    if (!path) throw new Error(`no place is known for the tab completion of ${shell}`);
    stage.write(path, `${script}\n`);
  }
}

function addDocumentation(stage: Stage, { version, date, installed, sbom }: Edition): void {
  const edition = { version, day: dayOf(date) };
  const pages = [...commandPages(commandLine(), edition), ['portholed.8', daemonPage(edition)] as const];
  for (const [name, text] of pages) stage.writeCompressed(`usr/share/man/man${name.at(-1)}/${name}.gz`, text);
  for (const path of ['README.md', ...filesBelow('docs')]) stage.copy(join(ROOT, path), `${DOC}/${path}`);
  stage.writeCompressed(`${DOC}/changelog.gz`, debianChangelog(readText('CHANGELOG.md'), version, date));
  const bundled = bundledPackages(join(installed, 'node_modules'));
  stage.write(`${DOC}/copyright`, copyrightText(readText('LICENSE'), bundled));
  stage.write(`${DOC}/sbom.cdx.json`, sbom);
}
