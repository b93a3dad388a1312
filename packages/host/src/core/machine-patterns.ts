import type { Profile } from './entities.ts';
import { hostError } from './host-errors.ts';
import { own } from './records.ts';
import type { Check } from './texts.ts';

/** The key of a profile that says which machines of systemd-nspawn become instances with that profile. */
export const ADOPT_MACHINES = 'adopt.machines';

/** The names that machined takes. */
const MACHINE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9._*-]{0,63}$/;
/** Each is compared with each machine; hosts have some kinds of machines. */
const PATTERNS_MAX = 64;

/** `adopt.machines`: names with commas, where `*` stands for any characters, such as `web-*,db`. */
export const checkMachinePatterns: Check = (value) => {
  const patterns = patternsIn(value);
  const wrong = patterns.find((each) => !PATTERN.test(each));
  if (wrong !== undefined)
    throw hostError('bad-request', `"${wrong}" is not a name of a machine, or a pattern such as web-*`);
  if (patterns.length > PATTERNS_MAX)
    throw hostError('bad-request', `The maximum number of names and patterns of machines is ${PATTERNS_MAX}`);
};

/** By profile, the names and patterns of machines that it asks for; profiles that ask for none are left out. */
export function machinePatterns(profiles: Iterable<Profile>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name, config } of profiles) {
    const value = own(config, ADOPT_MACHINES) ?? '';
    if (value !== '') found.set(name, patternsIn(value));
  }
  return found;
}

/** The profiles that ask for a machine, in the order of their names. */
export function profilesFor(
  machine: string,
  patterns: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  // machined's folder also has files of other kinds, such as `unit:NAME`.
  if (!MACHINE.test(machine)) return [];
  const asking = [...patterns].filter(([, list]) => list.some((each) => matches(machine, each)));
  return asking.map(([profile]) => profile).sort();
}

function patternsIn(value: string): string[] {
  return value.split(',').map((each) => each.trim());
}

/** Piece by piece: a regular expression could take very long for a pattern with many `*`. */
function matches(name: string, pattern: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  const last = pieces.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
