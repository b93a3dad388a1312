import type { Member } from '../../core/shared.ts';
import type { Heart } from '../../instances/testing/heart.ts';
import { MemberHost, memberOf } from './member-host.ts';
import { MemoryHistory } from './memory-store.ts';

/** A fleet of hosts whose history is in memory. */
export class MemberHosts {
  readonly history = new MemoryHistory();
  readonly #members: MemberHost[] = [];

  /** Brings a single host into the fleet. @param prepare makes what it has before */
  async join(
    name: string,
    prepare?: (heart: Heart) => unknown,
    member: Member = memberOf(name),
  ): Promise<MemberHost> {
    const host = await MemberHost.join(this.history, name, prepare, member);
    this.#members.push(host);
    await quiet();
    return host;
  }

  /** Kills a daemon. @returns the next one */
  async crash(member: MemberHost): Promise<MemberHost> {
    const next = await member.crash();
    this.#members.push(next);
    await quiet();
    return next;
  }

  stop(): void {
    for (const member of this.#members.splice(0)) member.stop();
  }
}

/** Resolves when all members have heard everything. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 5));
  for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate);
}
