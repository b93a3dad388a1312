import { readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { HostClient } from '../../src/client/host-client.ts';
import { run } from '../../src/process/run.ts';
import type { TestDaemon } from './daemon.ts';

/** An answer of the guest API, as curl shows it. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A client of the host API that waits for operations and throws on failures. */
export function hostApi(daemon: TestDaemon): HostClient {
  return new HostClient(daemon.hostSocket);
}

/**
 * The caller: root of an instance by its init's pid, another user there if `uid` is given, or a process of
 * the host.
 */
export type Asker = { readonly init: number; readonly uid?: number } | 'host';

/**
 * Makes a request to the guest API with curl, as a process in the user and PID namespaces of an instance.
 * @param args further arguments for curl
 */
export async function ask(
  daemon: TestDaemon,
  asker: Asker,
  target: string,
  ...args: string[]
): Promise<Answer> {
  const curl = ['curl', '-s', '-i', '--path-as-is', '--max-time', '20', '--unix-socket', daemon.guestSocket];
  const command = [...enter(asker), ...curl, ...args, `http://lxd${target}`];
  const result = await run(command[0] as string, command.slice(1));
  if (!result.ok) throw new Error(result.failure);
  return parseAnswer(result.stdout);
}

function enter(asker: Asker): string[] {
  if (asker === 'host') return [];
  const uid = String(asker.uid ?? 0);
  const userNamespace = (pid: number | 'self') => readlinkSync(`/proc/${pid}/ns/user`);
  // A process cannot enter the user namespace that it is in.
  const user = userNamespace(asker.init) === userNamespace('self') ? [] : ['-U'];
  return ['nsenter', '-t', String(asker.init), ...user, '-p', '-S', uid, '-G', uid, '--'];
}

/** Parses the text of an HTTP answer. */
export function parseAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(first.split(' ')[1]), headers: new Map(headers), body: text.slice(end + 4) };
}

const POLL_MS = 20;
const WAIT_MS = 20_000;

/** Polls until a fact holds. @throws Error that names the fact, after `waitMs` */
export async function until(
  fact: string,
  holds: () => Promise<boolean> | boolean,
  waitMs = WAIT_MS,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come to this: ${fact}`);
    await wait(POLL_MS);
  }
}
