/**
 * How often something is tried that may go wrong at any moment: some times in `npm test`, all of them in `npm run
 * test:long`, which runs the same files once more.
 */
export function cycles(some: number, all: number): number {
  return process.env['PORTHOLE_CYCLES'] === 'all' ? all : some;
}
