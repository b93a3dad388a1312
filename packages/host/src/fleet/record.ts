import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Member } from '../core/shared.ts';
import { FORM } from './form.ts';
import type { MemberFleet } from './member.ts';

const AGAIN_MS = 1_000;

/** What another version of the daemon changes in the record of its member. */
export type DaemonFacts = Pick<Member, 'architecture' | 'version'>;

/**
 * Writes what this daemon changes in the own record, as after an upgrade. Tries until the member reaches etcd.
 * @param signal ends it
 */
export async function refreshRecord(
  fleet: Pick<MemberFleet, 'commit' | 'record'>,
  facts: DaemonFacts,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { record } = fleet;
      const wanted: Member = { ...record, ...facts, api: FORM };
      if (JSON.stringify(wanted) === JSON.stringify(record)) return;
      await fleet.commit([{ kind: 'put-member', member: wanted }]);
      return;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'fleet-not-member') return;
      log.debug({ reason: messageOf(error) }, 'the record of this member cannot be changed for now');
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
}
