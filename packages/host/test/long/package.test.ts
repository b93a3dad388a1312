import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNeeds } from '../../../../tools/package/elf.ts';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { BuiltPackages, OWN_ARCHITECTURE } from '../harness/packages.ts';

const MINUTES_MS = 60_000;
const ARCHITECTURES = ['amd64', 'arm64'];
/** Of e_machine in an ELF file. */
const MACHINES: Readonly<Record<string, number>> = { amd64: 0x3e, arm64: 0xb7 };

describe('the packages', () => {
  let built: BuiltPackages;
  let again: BuiltPackages;
  const unpacked = new Map<string, string>();

  beforeAll(async () => {
    built = await BuiltPackages.make();
    again = await BuiltPackages.make();
    for (const architecture of ARCHITECTURES) {
      const folder = mkdtempSync('/var/tmp/porthole-test-unpacked-');
      unpacked.set(architecture, folder);
      await must('dpkg-deb', '-R', built.path(`_${architecture}.deb`), folder);
    }
  }, 60 * MINUTES_MS);
  afterAll(() => {
    for (const folder of unpacked.values()) rmSync(folder, { recursive: true, force: true });
    for (const each of [built, again]) each?.[Symbol.dispose]();
  });

  async function must(command: string, ...args: string[]): Promise<string> {
    const { ok, failure, stdout } = await run(command, args);
    if (!ok) throw new Error(failure);
    return stdout;
  }
  const at = (architecture: string, path: string) => join(unpacked.get(architecture) ?? '', path);

  it('have the same bytes when they are built twice', () => {
    const hashes = ({ folder }: BuiltPackages) =>
      readdirSync(folder).map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]);
    expect(hashes(again)).toEqual(hashes(built));
    expect(hashes(built).map(([name]) => (name as string).replace(/\d+\.\d+\.\d+/, 'V'))).toEqual([
      'SHA256SUMS',
      'porthole-guest-V.tgz',
      'porthole_V_amd64.cdx.json',
      'porthole_V_amd64.deb',
      'porthole_V_arm64.cdx.json',
      'porthole_V_arm64.deb',
    ]);
  });

  it.each(ARCHITECTURES)(
    'for %s have compiled parts for it, and for no other processor',
    async (architecture) => {
      const found = (
        await must('find', at(architecture, 'usr'), '-name', '*.node', '-o', '-name', 'node', '-type', 'f')
      )
        .trim()
        .split('\n');
      expect(found).toHaveLength(3);
      for (const path of found) {
        const file = readFileSync(path);
        expect([path, file.readUInt16LE(0x12)]).toEqual([path, MACHINES[architecture]]);
        expect(readNeeds(file).libraries).toContain('libc.so.6');
      }
    },
  );

  it.each(ARCHITECTURES)(
    'for %s belong to root, and no other user may write to a file',
    async (architecture) => {
      const listed = (await must('dpkg-deb', '-c', built.path(`_${architecture}.deb`))).trim().split('\n');
      expect(listed.length).toBeGreaterThan(200);
      expect(listed.filter((line) => !/^(l|.{5}-.{2}-.) *.* root\/root /.test(line))).toEqual([]);
    },
  );

  it.each(ARCHITECTURES)('for %s have all that a Debian package has', async (architecture) => {
    const control = readFileSync(at(architecture, 'DEBIAN/control'), 'utf8');
    expect(control).toContain(`\nArchitecture: ${architecture}\n`);
    expect(control).toMatch(/libc6 \(>= 2\.\d+\)/);
    for (const path of [
      'usr/share/doc/porthole/copyright',
      'usr/share/doc/porthole/changelog.gz',
      'usr/share/doc/porthole/sbom.cdx.json',
      'usr/share/man/man1/porthole.1.gz',
      'usr/share/man/man1/porthole-launch.1.gz',
      'usr/share/man/man8/portholed.8.gz',
      'usr/share/bash-completion/completions/porthole',
      'usr/share/zsh/vendor-completions/_porthole',
      'lib/systemd/system/portholed.service',
      'usr/lib/sysusers.d/porthole.conf',
    ])
      expect([path, existsSync(at(architecture, path))]).toEqual([path, true]);
    for (const script of ['postinst', 'prerm', 'postrm'])
      await must('sh', '-n', at(architecture, `DEBIAN/${script}`));
  });

  it('name the licence of all code that the bundle contains', () => {
    const lib = at(OWN_ARCHITECTURE, 'usr/lib/porthole/lib');
    const maps = readdirSync(lib).filter((name) => name.endsWith('.map'));
    const sources = maps.flatMap(
      (name) => (JSON.parse(readFileSync(join(lib, name), 'utf8')) as { sources: string[] }).sources,
    );
    const packages = new Set(
      sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
    );
    expect(packages.size).toBeGreaterThan(10);
    const copyright = readFileSync(at(OWN_ARCHITECTURE, 'usr/share/doc/porthole/copyright'), 'utf8');
    expect([...packages].filter((name) => !copyright.includes(`\n${name} `))).toEqual([]);
    expect(copyright).toContain(`\nnode-linux-${process.arch} 26`);
  });

  it('run from the folder that they were unpacked to', async () => {
    const state = mkdtempSync('/var/tmp/porthole-test-');
    try {
      const porthole = at(OWN_ARCHITECTURE, 'usr/bin/porthole');
      const refused = await run(porthole, ['--state-dir', state, 'list']);
      expect([refused.code, refused.stdout, refused.stderr.trim().split('\n').length]).toEqual([1, '', 1]);
      expect(refused.stderr).toMatch(/^Error: /);
      const { version } = JSON.parse(
        readFileSync(at(OWN_ARCHITECTURE, 'usr/lib/porthole/lib/package.json'), 'utf8'),
      );
      expect(await must(porthole, '--version')).toBe(`${version}\n`);
      await withDaemon(state, async () => {
        expect(await must(porthole, '--state-dir', state, 'list', '-f', 'json')).toBe('[]\n');
      });
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  });

  async function withDaemon(state: string, work: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const daemon = run(at(OWN_ARCHITECTURE, 'usr/sbin/portholed'), ['--state-dir', state], {
      signal: stop.signal,
    });
    try {
      await until('it serves', () => existsSync(join(state, 'unix.socket')));
      await work();
    } finally {
      stop.abort();
      await daemon;
    }
  }
});
