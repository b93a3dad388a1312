import { readFileSync } from 'node:fs';
import type { Devices } from '../../core/entities.ts';
import { recordOf } from '../../core/records.ts';

/** A comment for LXC. */
const MARK = '# host side of nics: ';

/**
 * The line of LXC's configuration that says which device has which interface on the host. The next daemon reads it if
 * this one ends before it has stored the start.
 * @param devices each nic with its `host_name`
 */
export function hostNamesLine(devices: Devices): string {
  const names = Object.entries(devices).flatMap(([name, { type, host_name: hostName }]) =>
    type === 'nic' && hostName ? [[name, hostName] as const] : [],
  );
  return MARK + JSON.stringify(recordOf(names));
}

/** The interface on the host of each nic with which an instance was started last; empty if that is unknown. */
export function readHostNames(config: string): Readonly<Record<string, string>> {
  try {
    const line = readFileSync(config, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(MARK));
    return line === undefined ? {} : recordOf(Object.entries(JSON.parse(line.slice(MARK.length)) as object));
  } catch {
    return {};
  }
}
