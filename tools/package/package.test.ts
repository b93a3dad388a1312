import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RUN_PACKAGES } from '../../setup/packages.mjs';
import { readText } from '../tidy/source.ts';
import { debianChangelog } from './changelog.ts';
import { commandLine } from './command-line.ts';
import { controlText } from './control.ts';
import { dependsText } from './depends.ts';
import { readNeeds } from './elf.ts';
import { bundledPackages, copyrightText } from './licences.ts';
import { commandPages, daemonPage } from './man-pages.ts';
import { escaped, paragraphs } from './man-text.ts';
import { settled } from './sbom.ts';
import { sourceDate } from './source-date.ts';
import { installedUnits } from './units.ts';
import { debianVersion, labelled, packageVersion } from './version.ts';

const edition = { version: '1.2.3', day: '2026-11-28' };

describe('the version', () => {
  it('is the same in every file that has it', () => {
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('is refused when a file disagrees, with the name of that file', () => {
    const changed = (path: string) =>
      path === 'packages/guest/package.json' ? '{"version":"9.9.9"}' : readText(path);
    expect(() => packageVersion(changed)).toThrow(/packages\/guest\/package\.json says 9\.9\.9/);
  });

  it('can carry a label, and sorts before its release for dpkg', () => {
    expect(labelled('1.2.3', 'git.1')).toBe('1.2.3+git.1');
    expect(() => labelled('1.2.3', '../x')).toThrow('--label');
    expect(debianVersion('1.2.3-rc.1+git.1')).toBe('1.2.3~rc.1+git.1');
  });
});

describe('the time of all files', () => {
  it('is that of SOURCE_DATE_EPOCH, which has to be a number', () => {
    expect(sourceDate({ SOURCE_DATE_EPOCH: '86400' }).toISOString()).toBe('1970-01-02T00:00:00.000Z');
    expect(() => sourceDate({ SOURCE_DATE_EPOCH: 'now' })).toThrow('SOURCE_DATE_EPOCH');
  });
});

describe('the control file', () => {
  const needs = {
    libraries: ['libc.so.6', 'libstdc++.so.6'],
    versions: { 'libc.so.6': ['GLIBC_2.9', 'GLIBC_2.28'] },
  };

  it('depends on what the setup installs, and on the highest version of libc that a compiled part needs', () => {
    const names = dependsText([needs]).split(', ');
    for (const name of RUN_PACKAGES) expect(names).toContain(name);
    expect(names).toContain('libc6 (>= 2.28)');
  });

  it('is not made when a library belongs to no known package', () => {
    expect(() => dependsText([{ libraries: ['libnew.so.1'], versions: {} }])).toThrow('libnew.so.1');
  });

  it('has the fields that dpkg needs, and a description whose lines begin with a space', () => {
    const text = controlText({ version: '1.2.3', architecture: 'amd64', depends: 'lxc', bytes: 2049 });
    expect(text).toMatch(
      /^Package: porthole\nVersion: 1\.2\.3\nArchitecture: amd64\nMaintainer: .+ <.+>\nInstalled-Size: 3\n/,
    );
    expect(
      text
        .slice(text.indexOf('Description'))
        .trimEnd()
        .split('\n')
        .slice(1)
        .filter((line) => !line.startsWith(' ')),
    ).toEqual([]);
  });

  it('finds the libraries of a real program: a shell needs a libc and names its versions', () => {
    const { libraries, versions } = readNeeds(readFileSync('/bin/sh'));
    expect(libraries).toContain('libc.so.6');
    expect(versions['libc.so.6']?.some((name) => /^GLIBC_2\.\d+$/.test(name))).toBe(true);
    expect(() => readNeeds(Buffer.from('#!/bin/sh\n'))).toThrow('no ELF file');
  });
});

describe('the manual pages', () => {
  const pages = commandPages(commandLine(), edition);

  it('are there for every command, those below others too', () => {
    expect([...pages.keys()]).toEqual(
      expect.arrayContaining(['porthole.1', 'porthole-list.1', 'porthole-config-device-add.1']),
    );
    expect([...pages.keys()].filter((name) => name.includes('__') || name.includes('-help'))).toEqual([]);
  });

  it('have a name, a synopsis, all options and the examples', () => {
    const page = pages.get('porthole-launch.1') ?? '';
    expect(page).toMatch(/^\.TH PORTHOLE-LAUNCH 1 "2026-11-28" "Porthole 1\.2\.3"/);
    for (const part of [
      '.SH NAME\nporthole\\-launch \\- ',
      '.SH SYNOPSIS',
      '\\-\\-ephemeral',
      'porthole launch busybox c1',
    ])
      expect(page).toContain(part);
  });

  it('have all settings of the daemon', () => {
    expect(daemonPage(edition)).toContain('\\-\\-fast\\-lane');
  });

  it('escape all text that roff would take as a request', () => {
    expect(escaped(".so /etc/shadow\n'x \\fB")).toBe('\\&.so /etc/shadow\n\\(aqx \\efB');
    expect(paragraphs('a\n\n.b')).toEqual(['a', '.PP', '\\&.b']);
  });
});

describe('the file copyright', () => {
  const TEXT = 'Permission is granted.';

  /** What is found in a node_modules with these files. */
  function found(files: Readonly<Record<string, string>>) {
    const modules = mkdtempSync(join(tmpdir(), 'porthole-licences-'));
    try {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(modules, path)), { recursive: true });
        writeFileSync(join(modules, path), text);
      }
      return bundledPackages(modules);
    } finally {
      rmSync(modules, { recursive: true });
    }
  }
  const manifest = (name: string, more: object = {}) =>
    JSON.stringify({ name, version: '1.0.0', license: 'ISC', ...more });

  it('has every package with its licence, also one inside another', () => {
    const bundled = found({
      'a/package.json': manifest('a'),
      'a/LICENCE.md': TEXT,
      'a/node_modules/@s/b/package.json': manifest('@s/b'),
      'a/node_modules/@s/b/COPYING': TEXT,
    });
    expect(bundled.map(({ name, text }) => [name, text])).toEqual([
      ['@s/b', TEXT],
      ['a', TEXT],
    ]);
    expect(copyrightText('OURS', bundled)).toMatch(/OURS[\s\S]*\n@s\/b 1\.0\.0\nLicence: ISC\n\nPermission/);
  });

  it('has the text of the main package for its compiled part, and that of MIT for one that only names it', () => {
    const bundled = found({
      'koffi/package.json': manifest('koffi'),
      'koffi/LICENSE.txt': TEXT,
      '@koromix/koffi-linux-x64/package.json': manifest('@koromix/koffi-linux-x64'),
      'c/package.json': manifest('c', { license: 'MIT', author: 'Ann' }),
    });
    expect(bundled.map(({ text }) => text.split('\n\n')[1] ?? text)).toEqual([
      TEXT,
      'Copyright (c) Ann',
      TEXT,
    ]);
  });

  it('is not made for a package without a licence or without its text', () => {
    expect(() => found({ 'a/package.json': manifest('a') })).toThrow('a 1.0.0 has no licence');
    expect(() => found({ 'a/package.json': '{"name":"a","version":"1.0.0"}', 'a/LICENSE': TEXT })).toThrow();
  });
});

describe('the changelog', () => {
  it('has Debian’s form, with the time of the release or, before it, of the sources', () => {
    const markdown =
      '# C\n\n## [Unreleased]\n\n### Added\n\n- One\n  line.\n- Two.\n\n## [0.1.0] - 2026-01-02\n\n- Old.\n';
    const [head, , one, two] = debianChangelog(markdown, '0.2.0', new Date(0)).split('\n');
    expect([head, one, two]).toEqual([
      'porthole (0.2.0) unstable; urgency=medium',
      '  * One line.',
      '  * Two.',
    ]);
    expect(debianChangelog(markdown, '0.2.0', new Date(0))).toMatch(
      /\(0\.1\.0\)[\s\S]*Fri, 02 Jan 2026 00:00:00 \+0000\n$/,
    );
  });
});

describe('the bill of materials', () => {
  it('has nothing that differs from build to build', () => {
    const bom = {
      serialNumber: 'urn:uuid:1',
      metadata: { timestamp: 'now', component: { name: 'x', version: '0' } },
    };
    expect(JSON.parse(settled(JSON.stringify(bom), '1.2.3', new Date(0)))).toEqual({
      metadata: { timestamp: '1970-01-01T00:00:00.000Z', component: { name: 'porthole', version: '1.2.3' } },
    });
  });
});

describe('the units', () => {
  it('start the program of the package, and those of a checkout stay as they are', () => {
    const units = installedUnits();
    expect([...units.values()].join('')).not.toContain('/opt/');
    expect(units.get('portholed.service')).toContain('\nExecStart=/usr/sbin/portholed\n');
    expect(readText('systemd/portholed.service')).toContain('\nExecStart=/opt/porthole/bin/portholed\n');
  });

  it('are refused with a path of the checkout that is not known', () => {
    expect(() => installedUnits(() => 'ExecStart=/opt/porthole/other')).toThrow('is not known');
  });
});
