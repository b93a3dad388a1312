import { ROOMS } from '../tidy/rooms.ts';

/** Every room may import it, so that no box needs to say so. */
const GROUND = 'base';

/** A room that imports more rooms than this may list those that it does not import instead. */
const MANY = 10;

/** Rooms that a room imports, for values or for types; anything outside the daemon is left out. */
function importsOf(room: string): { values: string[]; types: string[] } {
  const { imports = [], types = [] } = ROOMS[room] ?? {};
  const rooms = types.flatMap((each) => each.split('/')[0] as string).filter((each) => each in ROOMS);
  return { values: imports.filter((each) => each in ROOMS), types: [...new Set(rooms)] };
}

/** The floor of a room, from 0: one above the highest that it imports. */
export function floorOf(room: string): number {
  const { values, types } = importsOf(room);
  return 1 + Math.max(-1, ...[...values, ...types].map(floorOf));
}

/** The lines of a box about its imports: one for values and one for types. */
export function importLines(room: string): string[] {
  const { values, types } = importsOf(room);
  const others = Object.keys(ROOMS).filter((each) => each !== room && floorOf(each) < floorOf(room));
  const missing = others.filter((each) => !values.includes(each));
  const named = values.filter((each) => each !== GROUND);
  const isMost = named.length > MANY && missing.length < named.length;
  const line = isMost ? `all below but ${missing.join(', ')}` : named.join(', ');
  if (room === GROUND) return ['everything stands on it'];
  return [
    ...(line === '' ? [] : [`↓ ${line}`]),
    ...(types.length === 0 ? [] : [`↓ types of ${types.join(', ')}`]),
  ];
}
