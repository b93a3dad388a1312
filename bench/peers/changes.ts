import { type HostClient, path } from '../../packages/host/src/client/host-client.ts';

const KEY = 'user.bench-event';
const NS_PER_MS = 1e6;

/**
 * Changes a key of an instance as an operator does, and waits for the event in the instance.
 * @param arrived waits for the event; gives its time in nanoseconds of the monotonic clock
 * @returns the time from the operator's request to the event, in ms
 */
export async function timeToEvent(
  client: HostClient,
  instance: string,
  arrived: () => Promise<bigint>,
): Promise<number> {
  const before = process.hrtime.bigint();
  const json = { config: { [KEY]: `${before}` } };
  await client.change('PATCH', path`/1.0/instances/${instance}`, { json });
  return Number((await arrived()) - before) / NS_PER_MS;
}
