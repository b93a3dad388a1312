import { hostError } from '../core/host-errors.ts';
import { run } from '../process/run.ts';

/** It asks the kernel only. */
const TIMEOUT_MS = 5_000;

/**
 * Names of the host's bridges, sorted.
 * @throws CodedError runtime-failed with what ip(8) says
 */
export async function hostBridges(): Promise<string[]> {
  const { ok, failure, stdout } = await run('ip', ['-json', 'link', 'show', 'type', 'bridge'], {
    timeoutMs: TIMEOUT_MS,
  });
  if (!ok) throw hostError('runtime-failed', failure);
  const links = JSON.parse(stdout || '[]') as { readonly ifname?: string }[];
  return links.flatMap(({ ifname }) => ifname ?? []).sort();
}
