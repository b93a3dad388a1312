import type { SharedChange } from '../../core/shared.ts';
import { MutableSharedState } from '../../store/shared-state.ts';
import type { SharedState } from '../../store/shared-store.ts';

/** The state that these changes make. */
export function stateOf(puts: readonly SharedChange[]): SharedState {
  const state = new MutableSharedState();
  for (const put of puts) state.apply(put);
  return state;
}
