/**
 * How often something is tried that may go wrong at any moment, or with how much: some in `npm test`, all of it in `npm
 * run test:long`, which runs the same files once more.
 */
export function cycles<T>(some: T, all: T): T {
  return process.env['PORTHOLE_CYCLES'] === 'all' ? all : some;
}
