import { constants } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeartBackend } from '../../packages/host/src/host/testing/heart-backend.ts';
import type { FakeProcess } from '../../packages/host/src/instances/testing/fake-process.ts';
import { readAnswers } from '../answers.ts';
import { exchange } from '../exchange.ts';
import { mustHold } from '../target.ts';
import { WebsocketClient } from '../websocket-client.ts';
import { expectedInput } from './expected-input.ts';
import type { FrameCase } from './frame-cases.ts';

const OUTPUT = 'what the process says';

/** Starts an exec, connects its streams, sends frames on one of them, and has the process end. */
export async function runExec(
  socketPath: string,
  backend: HeartBackend,
  { stream, early, bytes }: FrameCase,
  pieces: readonly Buffer[],
): Promise<string> {
  const [kind, name = ''] = stream.split('-');
  const { id, secrets } = await beginExec(socketPath, kind === 'tty');
  const open = (each: string, first?: Buffer) =>
    new WebsocketClient(socketPath, `/1.0/operations/${id}/websocket?secret=${secrets[each]}`, first);
  const others = Object.keys(secrets)
    .filter((each) => each !== name)
    .map((each) => open(each));
  const tried = open(name, early ? bytes : undefined);
  await Promise.all([tried, ...others].map((client) => client.opened()));
  const session = backend.sessions[0]!;
  const { process: command } = session;
  while (session.starts === 0) await nextTurn();
  command.say(1, OUTPUT);
  await tried.send(early ? [] : pieces);
  tried.end();
  await hasTaken(command, name);
  command.exit(0);
  const messages = await Promise.all([tried, ...others].map((client) => client.closed()));
  checkProcess(command, name === '0' ? expectedInput(bytes) : Buffer.alloc(0));
  return `${command.signals.length} ${command.sizes.length} ${messages.flat().length} ${tried.closeCode}`;
}

async function beginExec(socketPath: string, interactive: boolean) {
  const body = JSON.stringify({ command: ['sh'], 'wait-for-websocket': true, interactive });
  const head = `POST /1.0/instances/c1/exec HTTP/1.1\r\nHost: lxd\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { received } = await exchange(socketPath, [Buffer.from(head + body)]);
  const [answer] = readAnswers(received, ['POST']).answers;
  mustHold(answer?.status === 202, 'an exec is refused', received);
  const { metadata } = JSON.parse(answer.body) as {
    metadata: { id: string; metadata: { fds: Record<string, string> } };
  };
  return { id: metadata.id, secrets: metadata.metadata.fds };
}

/**
 * Waits until the daemon has seen a stream close: input ends for stream 0, the process is killed for control.
 */
async function hasTaken(process: FakeProcess, name: string): Promise<void> {
  if (name === '0') await process.until(() => process.inputEnded);
  if (name === 'control') await process.until(() => process.signals.includes(constants.signals.SIGKILL));
}

function checkProcess(process: FakeProcess, expected: Buffer): void {
  const input = Buffer.concat(process.input);
  const detail = `expected ${JSON.stringify(expected.toString('latin1'))}, got ${JSON.stringify(process.text)}`;
  mustHold(input.equals(expected), 'the process has other input than was sent', detail);
  mustHold(
    process.signals.every((signal) => signal >= 1 && signal <= 64),
    'a signal that there is not',
  );
}
