import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import { FakeClock } from '../instances/testing/fake-world.ts';
import { Heart } from '../instances/testing/heart.ts';
import { ownTimers, pass } from '../instances/testing/time.ts';
import type { HostEvent } from './events.ts';
import { EventHub } from './hub.ts';
import type { Operation } from './operation.ts';
import { OperationError, type OperationHandle, Operations } from './operations.ts';

ownTimers();

let clock: FakeClock;
let operations: Operations;
let told: Operation[];
let logged: object[];
let work: PromiseWithResolvers<Record<string, unknown> | undefined>;
let handle: OperationHandle;

beforeEach(() => {
  [clock, told, logged] = [new FakeClock(), [], []];
  const log = { ...silentLog, error: (fields: object) => void logged.push(fields) };
  const hub = new EventHub(log);
  hub.onHost((event: HostEvent) => {
    if (event.type === 'operation') told.push(event.metadata);
  });
  operations = new Operations(hub, clock, log);
  work = Promise.withResolvers();
});

const begin = (part: { mayCancel?: boolean } = {}) =>
  operations.run({
    description: 'Working',
    metadata: { a: 1 },
    ...part,
    work: (given) => {
      handle = given;
      return work.promise;
    },
  });

describe('An operation', () => {
  it('begins at once, with an event', () => {
    const operation = begin();
    expect(operation).toMatchObject({ status: 'Running', class: 'task', description: 'Working', err: '' });
    expect(handle.id).toBe(operation.id);
    expect(told).toEqual([operation]);
    expect(operations.list()).toEqual([operation]);
  });

  it('ends with the result of its work added to its metadata', async () => {
    const { id } = begin();
    clock.pass(5_000);
    work.resolve({ b: 2 });
    const { status, metadata, updatedAt, createdAt } = await operations.wait(id, -1);
    expect([status, metadata]).toEqual(['Success', { a: 1, b: 2 }]);
    expect(Date.parse(updatedAt) - Date.parse(createdAt)).toBe(5_000);
    expect(told.map((each) => each.status)).toEqual(['Running', 'Success']);
  });

  it('ends with the failure of its work, which is logged only if it is unexpected', async () => {
    const { id } = begin();
    work.reject(hostError('already-running'));
    expect(await operations.wait(id, -1)).toMatchObject({
      status: 'Failure',
      err: 'The instance is already running',
    });
    expect(logged).toEqual([]);
    const other = operations.run({ description: '', work: () => Promise.reject(new TypeError('oops')) });
    expect(await operations.wait(other.id, -1)).toMatchObject({ status: 'Failure', err: 'oops' });
    expect(logged).toHaveLength(1);
  });

  it('can fail and have a result', async () => {
    const { id } = begin();
    work.reject(new OperationError(hostError('command-not-found'), { return: 127 }));
    const { status, metadata, err } = await operations.wait(id, -1);
    expect([status, metadata, err]).toEqual(['Failure', { a: 1, return: 127 }, 'Command not found']);
  });

  it('fails if its work throws at once, and the error goes nowhere else', async () => {
    const { id } = operations.run({
      description: '',
      work: () => {
        throw hostError('frozen');
      },
    });
    expect((await operations.wait(id, -1)).err).toBe('Instance is frozen');
  });

  it('has its new state before its event is published', async () => {
    const seen: string[] = [];
    const hub = new EventHub(silentLog);
    const own = new Operations(hub, clock, silentLog);
    hub.onHost((event) => {
      if (event.type === 'operation') seen.push(own.get(event.metadata.id).status);
    });
    const { id } = own.run({ description: '', work: async () => undefined });
    await own.wait(id, -1);
    expect(seen).toEqual(['Running', 'Success']);
  });
});

describe('Progress', () => {
  it('makes at most ten events a second, but is always in the metadata', async () => {
    const { id } = begin();
    for (const percent of [1, 2, 3]) handle.report({ percent });
    expect(operations.get(id).metadata).toEqual({ a: 1, percent: 3 });
    clock.pass(99);
    handle.report({ percent: 4 });
    expect(told.map(({ metadata }) => metadata?.['percent'])).toEqual([undefined, 1]);
    clock.pass(1);
    handle.report({ percent: 5 });
    work.resolve(undefined);
    await operations.wait(id, -1);
    expect(told.map(({ metadata }) => metadata?.['percent'])).toEqual([undefined, 1, 5, 5]);
  });
});

describe('Cancelling', () => {
  it('aborts the work, which ends the operation as cancelled', async () => {
    const { id } = begin({ mayCancel: true });
    handle.signal.addEventListener('abort', () => work.reject(new Error('stopped')));
    operations.cancel(id);
    const { status, err, mayCancel } = await operations.wait(id, -1);
    expect([status, err, mayCancel]).toEqual(['Cancelled', 'The operation was cancelled', false]);
    expect(told.map((each) => each.status)).toEqual(['Running', 'Cancelling', 'Cancelled']);
  });

  it('has no effect if the work succeeds all the same', async () => {
    const { id } = begin({ mayCancel: true });
    operations.cancel(id);
    work.resolve({ b: 2 });
    expect(await operations.wait(id, -1)).toMatchObject({ status: 'Success', metadata: { b: 2 } });
  });

  it('is refused for an operation that cannot be cancelled, has finished, or does not exist', async () => {
    const { id } = begin();
    expect(() => operations.cancel(id)).toThrow("This operation can't be cancelled");
    work.resolve(undefined);
    await operations.wait(id, -1);
    expect(() => operations.cancel(id)).toThrow('Only running operations can be cancelled');
    const other = begin({ mayCancel: true });
    expect(() => operations.cancel('no')).toThrow('Operation not found');
    await operations.wait(other.id, -1);
    expect(() => operations.cancel(other.id)).toThrow('Only running operations');
  });
});

describe('Waiting', () => {
  it('ends when its time is over, with the operation as it is', async () => {
    const heart = await Heart.begin();
    const { id } = begin();
    let found: Operation | undefined;
    void operations.wait(id, 3).then((operation) => {
      found = operation;
    });
    await pass(heart, 2_999);
    expect(found).toBeUndefined();
    await pass(heart, 1);
    expect(found?.status).toBe('Running');
    work.resolve(undefined);
    expect((await operations.wait(id, 3)).status).toBe('Success');
  });

  it('for all operations ends when none runs any more', async () => {
    begin();
    let idle = false;
    const waited = operations.idle().then(() => {
      idle = true;
    });
    await Promise.resolve();
    expect(idle).toBe(false);
    work.reject(new Error('no'));
    await waited;
    expect(idle).toBe(true);
  });

  it('for an operation that does not exist is refused', async () => {
    await expect(operations.wait('no', -1)).rejects.toThrow('Operation not found');
  });
});

describe('A finished operation', () => {
  it('is listed for five seconds, and can be read for half a minute', async () => {
    const heart = await Heart.begin();
    const { id } = begin();
    await pass(heart, 60_000);
    work.resolve(undefined);
    await operations.wait(id, -1);
    await pass(heart, 4_999);
    expect(operations.list()).toHaveLength(1);
    await pass(heart, 1);
    expect(operations.list()).toEqual([]);
    await pass(heart, 24_999);
    expect(operations.get(id).status).toBe('Success');
    await pass(heart, 1);
    expect(() => operations.get(id)).toThrow('Operation not found');
  });
});
