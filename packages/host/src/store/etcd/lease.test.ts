import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { Etcd } from '../../etcd/client.ts';
import { FleetKeys } from './fleet-keys.ts';
import { Lease } from './lease.ts';

interface Limit {
  readonly timeoutMs: number;
}

/** The part of etcd that a lease uses. Each answer takes a while, and may never come. */
class LeaseEtcd {
  answerMs = 0;
  isSilent = false;
  alive: { value: string; lease: string; modRevision: number } | null = null;
  #revision = 1;
  #leases = 0;

  async #answer<T>(make: () => T, timeoutMs: number): Promise<T> {
    const result = this.isSilent ? undefined : make();
    await new Promise((resolve) => setTimeout(resolve, this.isSilent ? timeoutMs : this.answerMs));
    if (result === undefined) throw new Error('no answer in time');
    return result;
  }

  readonly client = {
    grant: (_ttl: number, { timeoutMs }: Limit) => this.#answer(() => String(++this.#leases), timeoutMs),
    keepAlive: (_lease: string, { timeoutMs }: Limit) => this.#answer(() => (this.alive ? 5 : 0), timeoutMs),
    revoke: (lease: string, { timeoutMs }: Limit) =>
      this.#answer(() => {
        if (this.alive?.lease === lease) this.alive = null;
        return '';
      }, timeoutMs),
    range: (_keys: object, { timeoutMs }: Limit) =>
      this.#answer(() => ({ kvs: this.alive ? [{ key: '', ...this.alive }] : [] }), timeoutMs),
    txn: (
      { success }: { success: readonly { put: { value: string; lease: string } }[] },
      { timeoutMs }: Limit,
    ) =>
      this.#answer(() => {
        const { value = '', lease = '' } = success[0]?.put ?? {};
        this.alive = { value, lease, modRevision: ++this.#revision };
        return { succeeded: true };
      }, timeoutMs),
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

function open(monotonicMs = () => performance.now(), takesOver = true): void {
  lease = new Lease({
    ...{
      etcd: etcd.client,
      keys: new FleetKeys('/x/'),
      member: 'a',
      run: 'run',
      log: silentLog,
      monotonicMs,
      takesOver,
    },
    changed: (isAlive) => told.push([isAlive, Math.round(monotonicMs())]),
  });
}

describe('Lease', () => {
  it.each([0, 1, 2])(
    'is given back if it ends while etcd answers question %i of its acquisition',
    async (question) => {
      etcd.answerMs = 100;
      open();
      await vi.advanceTimersByTimeAsync(question * 100 + 50);
      const stopped = lease.stop();
      await vi.runAllTimersAsync();
      await stopped;
      expect([etcd.alive, told, lease.fence()]).toEqual([null, [], null]);
    },
  );

  it('is given back if the answer to its acquisition was lost', async () => {
    open();
    const { txn } = etcd.client;
    etcd.client.txn = async (...args) => {
      await txn(...args);
      throw new Error('no answer in time');
    };
    await vi.advanceTimersByTimeAsync(100);
    expect(etcd.alive).not.toBeNull();
    const stopped = lease.stop();
    await vi.runAllTimersAsync();
    await stopped;
    expect(etcd.alive).toBeNull();
  });

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

  it('ends in time also when its timer is late, as on a busy main thread', async () => {
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

  it('is not taken from another daemon by a host that only tries to join', async () => {
    etcd.alive = { value: 'other.1', lease: 'theirs', modRevision: 1 };
    open(undefined, false);
    await vi.advanceTimersByTimeAsync(3_000);
    expect([lease.fence(), lease.isTaken, etcd.alive?.value]).toEqual([null, true, 'other.1']);
    etcd.alive = null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lease.isTaken).toBe(false);
    expect(lease.fence()).not.toBeNull();
  });

  it('is taken at its start from an earlier run, and not when another run has come later', async () => {
    etcd.alive = { value: 'earlier.7', lease: 'theirs', modRevision: 1 };
    open();
    await vi.advanceTimersByTimeAsync(500);
    expect(etcd.alive?.value).toBe('run.1');
    etcd.isSilent = true;
    await vi.advanceTimersByTimeAsync(10_000);
    etcd.isSilent = false;
    etcd.alive = { value: 'later.1', lease: 'theirs', modRevision: 9 };
    await vi.advanceTimersByTimeAsync(5_000);
    expect([lease.fence(), lease.isTaken, etcd.alive?.value]).toEqual([null, true, 'later.1']);
  });
});
