import type { Call } from './call.ts';
import { unlessOwn } from './elsewhere.ts';
import type { FleetCases } from './fleet-cases.ts';

/**
 * The other member that makes a new instance; null if this one does. A container of another runtime is adopted on the host
 * on which it runs, which is the operator's.
 * @throws client-gone, body-too-large, and for a body that is no JSON
 */
export async function placeOf(fleet: FleetCases, call: Call): Promise<string | null> {
  return isAdoption(await call.json()) ? null : unlessOwn(fleet, fleet.placement());
}

function isAdoption(body: unknown): boolean {
  const { source } = (body ?? {}) as { readonly source?: { readonly type?: unknown } | null };
  return source?.type === 'adopt';
}
