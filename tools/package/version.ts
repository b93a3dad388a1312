import { readText } from '../tidy/source.ts';

/** Every file that has the version; the first is the one to change, docs/releasing.md says how. */
const PLACES = ['package.json', 'packages/host/package.json', 'packages/guest/package.json'];

/** Of a release, such as 1.2.3, or before one, such as 1.2.3-rc.1. */
const VERSION = /^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/;

/** The version of this Porthole. @throws when two files do not agree, or when it has another form */
export function packageVersion(read: (path: string) => string = readText): string {
  const versions = PLACES.map(
    (path) => [path, (JSON.parse(read(path)) as { version: string }).version] as const,
  );
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
  const locked = ['', 'packages/host', 'packages/guest'].map(
    (path) => [`package-lock.json (${path || 'porthole'})`, lock.packages[path]?.version] as const,
  );
  const [, version = ''] = versions[0] ?? [];
  for (const [path, other] of [...versions, ...locked])
    if (other !== version) throw new Error(`package.json says ${version}, ${path} says ${other}`);
  if (!VERSION.test(version)) throw new Error(`${version} is no version such as 1.2.3 or 1.2.3-rc.1`);
  return version;
}

/** A label for builds between releases: 0.1.0 becomes 0.1.0+LABEL. */
export function labelled(version: string, label: string | undefined): string {
  if (label === undefined) return version;
  if (!/^[a-z0-9.]+$/.test(label)) throw new Error(`--label ${label}: letters, digits and dots only`);
  return `${version}+${label}`;
}

/** The same version for dpkg, in whose order 1.2.3~rc.1 comes before 1.2.3. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}
