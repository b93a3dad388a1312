import { RUN_PACKAGES } from '../../setup/packages.mjs';
import type { Needs } from './elf.ts';

/** The Debian package of each library that compiled parts may need. */
const PACKAGES: Readonly<Record<string, string>> = {
  'ld-linux-x86-64.so.2': 'libc6',
  'ld-linux-aarch64.so.1': 'libc6',
  'libc.so.6': 'libc6',
  'libdl.so.2': 'libc6',
  'libm.so.6': 'libc6',
  'libpthread.so.0': 'libc6',
  'librt.so.1': 'libc6',
  'libutil.so.1': 'libc6',
  'libatomic.so.1': 'libatomic1',
  'libgcc_s.so.1': 'libgcc-s1',
  'libstdc++.so.6': 'libstdc++6',
};

/** The first GCC, and so the first version of Debian's libstdc++6, with each interface that compiled parts may need. */
const GCC: Readonly<Record<string, string>> = {
  '3.4.25': '8',
  '3.4.26': '9',
  '3.4.28': '9.3',
  '3.4.29': '11',
  '3.4.30': '12',
};

/** The maintainer scripts use it to make the group. */
const SYSUSERS = 'systemd | systemd-standalone-sysusers | systemd-sysusers';

/**
 * The text of the field `Depends`.
 * @param needs of all compiled parts
 */
export function dependsText(needs: readonly Needs[]): string {
  const libraries = [...new Set(needs.flatMap((each) => each.libraries))].map((name) => {
    const found = PACKAGES[name];
    if (!found) throw new Error(`no Debian package is known for ${name}: add it to PACKAGES in this file`);
    return found;
  });
  const names = [...new Set([...RUN_PACKAGES, ...libraries])].map((name) => name + leastVersion(name, needs));
  return [...names.sort(), SYSUSERS].join(', ');
}

function leastVersion(name: string, needs: readonly Needs[]): string {
  const versions = needs.flatMap((each) => Object.values(each.versions).flat());
  if (name === 'libc6') return ` (>= ${highest(versions, 'GLIBC_')})`;
  if (name !== 'libstdc++6') return '';
  const gcc = GCC[highest(versions, 'GLIBCXX_')];
  return gcc ? ` (>= ${gcc})` : '';
}

function highest(versions: readonly string[], prefix: string): string {
  const found = versions
    .filter((each) => each.startsWith(prefix))
    .map((each) => each.slice(prefix.length))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return found.at(-1) ?? '0';
}
