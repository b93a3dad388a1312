import { nextTurn } from '../base/slices.ts';
import type { SharedChange } from '../core/shared.ts';
import type { Model } from '../model/model.ts';
import type { Mirror } from './mirror.ts';

/**
 * Writes the rows of many changes in slices, before the commit that makes them true. Nobody reads them before that: this
 * daemon has the mirror in memory, and the next one finds an earlier revision of the fleet, or none, and begins again.
 */
export async function writeAhead(
  model: Pick<Model, 'follow'>,
  mirror: Mirror,
  changes: readonly SharedChange[],
): Promise<void> {
  for (const rows of mirror.rowsAhead(changes)) {
    model.follow(rows, []);
    await nextTurn();
  }
}
