import { readText } from '../tidy/source.ts';

const UNITS = ['portholed.service', 'portholed.socket', 'portholed-guest.socket'];

/** Where the units of a checkout expect it. */
const CHECKOUT = '/opt/porthole';

/** systemd's units for a daemon at /usr/sbin/portholed, by file name. */
export function installedUnits(read: (path: string) => string = readText): Map<string, string> {
  return new Map(UNITS.map((name) => [name, installed(name, read(`systemd/${name}`))]));
}

function installed(name: string, text: string): string {
  const moved = text
    .replaceAll(`${CHECKOUT}/bin/portholed`, '/usr/sbin/portholed')
    .replaceAll(
      `file:${CHECKOUT}/docs/operations.md`,
      'man:portholed(8) file:/usr/share/doc/porthole/docs/operations.md',
    );
  if (moved.includes(CHECKOUT))
    throw new Error(`systemd/${name} has a path of the checkout that is not known here`);
  return moved;
}
