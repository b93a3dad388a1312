/**
 * Chooses how often or with how much data a test tries something: `some` in `npm test`, `all` in
 * `npm run test:long`, which runs the same files again.
 */
export function cycles<T>(some: T, all: T): T {
  return process.env['PORTHOLE_CYCLES'] === 'all' ? all : some;
}
