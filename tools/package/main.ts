// `npm run package`: makes the packages for users in dist-packages/; docs/releasing.md says more.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../tidy/source.ts';
import { fill } from './contents.ts';
import { makeDeb } from './deb.ts';
import { makeGuestPackage } from './guest.ts';
import { installModules } from './modules.ts';
import { billOfMaterials } from './sbom.ts';
import { sourceDate } from './source-date.ts';
import { Stage } from './stage.ts';
import { debianVersion, labelled, packageVersion } from './version.ts';

/** Debian's names of processors, and Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

const HELP = `Usage: npm run package -- [OPTIONS]

Makes the packages of this checkout: a .deb for each processor, the npm package of the client for instances, a bill of
materials for each .deb, and SHA256SUMS.

  --arch ARCH      amd64 or arm64; may be repeated (default: both)
  --label LABEL    for a build between releases: the version becomes VERSION+LABEL
  --out DIR        default: dist-packages
  --level LEVEL    how hard xz tries, 0 to 9 (default: 6)
`;

const { values } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true, default: Object.keys(ARCHITECTURES) },
    label: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'dist-packages') },
    level: { type: 'string', default: '6' },
    help: { type: 'boolean', default: false },
  },
});

async function makeAll(): Promise<void> {
  const version = labelled(packageVersion(), values.label);
  const date = sourceDate();
  const out = resolve(values.out);
  // Always at the same depth below the checkout: source maps contain the relative path to the sources.
  const work = join(ROOT, 'dist-packages', `.work-${process.pid}`);
  mkdirSync(out, { recursive: true });
  try {
    makeGuestPackage(join(work, 'guest'), out, version);
    for (const debian of values.arch) await makeOne(debian, { version, date, out, work });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  writeSums(out);
}

async function makeOne(
  debian: string,
  { version, date, out, work }: { version: string; date: Date; out: string; work: string },
): Promise<void> {
  const architecture = ARCHITECTURES[debian];
  if (!architecture) throw new Error(`--arch ${debian}: amd64 or arm64`);
  const installed = join(work, 'modules');
  rmSync(work, { recursive: true, force: true });
  installModules(installed, architecture);
  const name = `porthole_${debianVersion(version)}_${debian}`;
  const sbom = billOfMaterials(installed, version, date);
  const stage = new Stage(join(work, 'stage'));
  await fill(stage, { version, date, architecture, installed, sbom });
  writeFileSync(join(out, `${name}.cdx.json`), sbom);
  makeDeb({
    stage,
    version,
    architecture: debian,
    date,
    path: join(out, `${name}.deb`),
    level: Number(values.level),
  });
}

/** Hashes of all packages in the folder, for `sha256sum -c`. */
function writeSums(out: string): void {
  const names = readdirSync(out).filter((name) => /\.(deb|tgz|cdx\.json)$/.test(name));
  const lines = names.sort().map((name) => {
    const hash = createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex');
    return `${hash}  ${name}\n`;
  });
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}

if (values.help) process.stdout.write(HELP);
else await makeAll();
