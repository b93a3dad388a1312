import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import { hostError } from '../../core/host-errors.ts';
import { readAddress } from './address.ts';
import type { LinkServer } from './link-server.ts';

const AGAIN_MS = 1_000;

/**
 * Checks that this host can listen on an address, before it becomes a member with it.
 * @throws member-address-invalid
 */
export async function checkListening(address: string): Promise<void> {
  const { host, port } = readAddress(address);
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw hostError('member-address-invalid', address, messageOf(error));
  }
  server.close();
  await once(server, 'close');
}

/**
 * Listens on the address of this member, as soon as the host has it: the daemon serves its instances also without it.
 * @param signal ends it
 */
export async function listenWhenPossible(
  link: Pick<LinkServer, 'listen'>,
  address: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (let isTold = false; !signal.aborted; isTold = true) {
    try {
      await link.listen(readAddress(address));
      return;
    } catch (error) {
      const reason = messageOf(error);
      if (!isTold) log.error({ address, reason }, 'other members do not reach this one: it cannot listen');
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
}
