import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { Etcd } from '../../etcd/client.ts';
import { FleetKeys } from './fleet-keys.ts';
import { Lease } from './lease.ts';

/** The part of etcd that a lease uses. Each answer takes a while, and may never come. */
class LeaseEtcd {
  answerMs = 0;
  isSilent = false;
  alive: { value: string; lease: string; modRevision: number } | null = null;
  #revision = 1;
  #leases = 0;

  async #answer<T>(make: () => T, timeoutMs = 60_000): Promise<T> {
    const result = this.isSilent ? undefined : make();
    await new Promise((resolve) => setTimeout(resolve, this.isSilent ? timeoutMs : this.answerMs));
    if (result === undefined) throw new Error('no answer in time');
    return result;
  }

  readonly client = {
    grant: () => this.#answer(() => String(++this.#leases)),
    keepAlive: (_: string, { timeoutMs }: { timeoutMs: number }) => this.#answer(() => (this.alive ? 5 : 0), timeoutMs),
    revoke: () => this.#answer(() => (this.alive = null) ?? ''),
    range: () => this.#answer(() => ({ kvs: this.alive ? [{ key: '', ...this.alive }] : [] })),
    txn: ({ success }: { success: readonly { put: { value: string; lease: string } }[] }) =>
      this.#answer(() => {
        const { value = '', lease = '' } = success[0]?.put ?? {};
        this.alive = { value, lease, modRevision: ++this.#revision };
        return { succeeded: true };
      }),
  } as unknown as Etcd;
}

let etcd: LeaseEtcd;
let lease: Lease;
const told: [isAlive: boolean, at: number][] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  told.length = 0;
  etcd = new LeaseEtcd();
});
afterEach(async () => {
  etcd.isSilent = false;
  const stopped = lease.stop();
  await vi.runAllTimersAsync();
  await stopped;
  vi.useRealTimers();
});

function open(monotonicMs = () => performance.now()): void {
  lease = new Lease({
    ...{ etcd: etcd.client, keys: new FleetKeys('/x/'), member: 'a', run: 'run', log: silentLog, monotonicMs },
    changed: (isAlive) => told.push([isAlive, Math.round(monotonicMs())]),
  });
}

describe('Lease', () => {
  it('is kept while etcd answers', async () => {
    open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.map(([isAlive]) => isAlive)).toEqual([true]);
    expect(lease.fence()).toEqual({ value: 'run.1', number: 1 });
  });

  it('is lost 5 s after the last question that was answered, at the latest', async () => {
    open();
    await vi.advanceTimersByTimeAsync(10_000);
    const lastAnswered = performance.now();
    etcd.isSilent = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.map(([isAlive]) => isAlive)).toEqual([true, false]);
    expect(told[1]?.[1]).toBeLessThan(lastAnswered + 5_000);
    expect(lease.fence()).toBeNull();
  });

  it('counts from before the question: etcd may have counted from there', async () => {
    etcd.answerMs = 1_000;
    const asked = performance.now();
    open();
    await vi.advanceTimersByTimeAsync(3_100);
    expect(lease.fence()).not.toBeNull();
    etcd.isSilent = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told[1]?.[1]).toBeLessThan(asked + 5_000);
  });

  it('is not believed in when its timer is late, as on a busy main thread', async () => {
    let nowMs = 0;
    open(() => nowMs);
    await vi.advanceTimersByTimeAsync(100);
    expect(lease.fence()).not.toBeNull();
    nowMs = 4_999;
    expect(lease.fence()).toBeNull();
  });

  it('comes back with a new number', async () => {
    open();
    await vi.advanceTimersByTimeAsync(1_000);
    etcd.isSilent = true;
    await vi.advanceTimersByTimeAsync(20_000);
    etcd.isSilent = false;
    etcd.alive = null;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(told.map(([isAlive]) => isAlive)).toEqual([true, false, true]);
    expect(lease.fence()?.number).toBeGreaterThan(1);
  });
});
