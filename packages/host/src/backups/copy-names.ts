/** How many digits of the state directory's id are in the names of its copies. */
const ID_DIGITS = 12;

/** A name that {@link copyName} makes; the time is UTC. */
const NAME = /^porthole-([0-9a-f]{12})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.db$/;

/** The name of a copy, with the id of its state directory and the time when it was begun. */
export function copyName(directoryId: string, at: Date): string {
  return `porthole-${directoryId.slice(0, ID_DIGITS)}-${at.toISOString().replace(/[-:.]/g, '')}.db`;
}

/** The name of a copy that is not finished. */
export function partName(name: string): string {
  return `.${name}.part`;
}

/** When a copy was begun, RFC 3339; null if the name is not that of a copy of this state directory. */
export function timeOf(name: string, directoryId: string): string | null {
  const [all, id, year, month, day, hour, minute, second, ms] = NAME.exec(name) ?? [];
  if (all === undefined || id !== directoryId.slice(0, ID_DIGITS)) return null;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`;
}

/** Whether a name is that of an unfinished copy of this state directory. */
export function isPart(name: string, directoryId: string): boolean {
  return /^\..*\.part$/.test(name) && timeOf(name.slice(1, -'.part'.length), directoryId) !== null;
}

/** The copies of this state directory, the newest first. Names have a fixed form, so their order is that of time. */
export function copiesAmong(names: readonly string[], directoryId: string): string[] {
  return names
    .filter((name) => timeOf(name, directoryId) !== null)
    .sort()
    .reverse();
}

/**
 * The oldest copies, which must be removed so that at most `count` stay.
 * @param newest the copy that was just made; it stays even if the clock was set back
 */
export function excessAmong(
  names: readonly string[],
  directoryId: string,
  count: number,
  newest: string,
): string[] {
  const others = copiesAmong(names, directoryId).filter((name) => name !== newest);
  return others.slice(Math.max(0, count - 1));
}
