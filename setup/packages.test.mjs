import { describe, expect, it } from 'vitest';
import { missingPackages, requirePackages } from './packages.mjs';

const STATUS = `Package: lxc
Status: install ok installed
Priority: optional
Provides: netcat-openbsd

Package: curl
Status: deinstall ok config-files

Package: procps
Essential: yes
Status: hold ok installed

Package: zstd
Status: install ok half-configured
`;

describe('missing Debian packages', () => {
  it('are none when all are installed, also when they are held back', () => {
    expect(missingPackages(STATUS, ['lxc', 'procps'])).toEqual([]);
  });

  it('are those that were removed, half installed or never installed, in the requested order', () => {
    expect(missingPackages(STATUS, ['zstd', 'lxc', 'curl', 'xz-utils'])).toEqual([
      'zstd',
      'curl',
      'xz-utils',
    ]);
  });

  it('are not satisfied by part of a name or by what another package provides', () => {
    expect(missingPackages(STATUS, ['lx', 'lxc-utils', 'netcat-openbsd'])).toEqual([
      'lx',
      'lxc-utils',
      'netcat-openbsd',
    ]);
  });

  it('are all of them where there is no dpkg', () => {
    expect(missingPackages('', ['lxc'])).toEqual(['lxc']);
  });

  it('are named, with the command that installs them, to a user who may not install them', () => {
    expect(() => requirePackages(['no-such-package', 'nor-this'])).toThrow(
      'Debian packages are missing: run `sudo apt-get install no-such-package nor-this`.',
    );
    expect(() => requirePackages([])).not.toThrow();
  });
});
