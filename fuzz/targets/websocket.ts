import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type GuestFixture, startGuest } from '../../packages/host/src/guest/testing/harness.ts';
import { HostServer } from '../../packages/host/src/host/server.ts';
import { piecesOf } from '../mutate.ts';
import { type Case, mustHold, type Target, type TargetKind } from '../target.ts';
import { WatchedLog } from '../watched-log.ts';
import { WebsocketClient } from '../websocket-client.ts';
import { runExec } from './exec-streams.ts';
import { type FrameCase, makeFrameCase, readFrameCase } from './frame-cases.ts';
import { FreshBackend } from './fresh-backend.ts';

const SECRET = 'a secret of the other instance';

/** Frames to event streams and execs. */
export const WEBSOCKET: TargetKind = {
  name: 'websocket',
  shortCases: 120,
  open: () => WebsocketTarget.open(),
  make: makeFrameCase,
};

class WebsocketTarget implements Target {
  readonly #folder: string;
  readonly #path: string;
  readonly #guest: GuestFixture;
  readonly #backend: FreshBackend;
  readonly #host: HostServer;
  readonly #log: WatchedLog;

  private constructor(folder: string, guest: GuestFixture, log: WatchedLog) {
    this.#folder = folder;
    this.#path = join(folder, 'unix.socket');
    this.#guest = guest;
    this.#log = log;
    this.#backend = new FreshBackend(folder);
    this.#host = new HostServer(this.#backend, { log });
  }

  static async open(): Promise<WebsocketTarget> {
    const log = new WatchedLog();
    const folder = await mkdtemp('/var/tmp/porthole-fuzz-');
    const target = new WebsocketTarget(folder, await startGuest({}, log), log);
    await target.#host.listen(target.#path);
    return target;
  }

  async run(sample: Case): Promise<string> {
    const frames = readFrameCase(sample);
    const pieces = piecesOf(frames.bytes, sample.cuts);
    const outcome = await this.#runStream(frames, pieces);
    this.#log.mustBeQuiet();
    return `${frames.stream} ${outcome}`;
  }

  async settle(): Promise<void> {
    mustHold(this.#guest.backend.subscribers === 0, 'an event stream is left');
    mustHold(this.#guest.server.connections() === 0, 'connections are left');
  }

  #runStream(frames: FrameCase, pieces: readonly Buffer[]): Promise<string> {
    if (frames.stream === 'guest') return this.#runGuest(frames, pieces);
    if (frames.stream === 'events') return this.#runEvents(frames, pieces);
    return runExec(this.#path, this.#backend.renew(), frames, pieces);
  }

  async #runGuest({ bytes, early }: FrameCase, pieces: readonly Buffer[]): Promise<string> {
    const { backend, path } = this.#guest;
    const client = new WebsocketClient(path, '/1.0/events', early ? bytes : undefined);
    const tell = () => {
      backend.setKey(1, 'user.a', 'mine');
      backend.setKey(2, 'user.a', SECRET);
    };
    const messages = await follow(client, early ? [] : pieces, tell);
    mustHold(!Buffer.concat(messages).includes(SECRET), 'an event of another instance');
    while (backend.subscribers > 0) await nextTurn();
    return `${messages.length > 0 ? 'events' : 'nothing'} ${client.closeCode}`;
  }

  async #runEvents({ bytes, early }: FrameCase, pieces: readonly Buffer[]): Promise<string> {
    const client = new WebsocketClient(this.#path, '/1.0/events', early ? bytes : undefined);
    const tell = () => this.#backend.now.operations.lifecycle('config-changed', '/1.0/instances/c1');
    const messages = await follow(client, early ? [] : pieces, tell);
    for (const message of messages) JSON.parse(message.toString());
    return `${messages.length > 0 ? 'events' : 'nothing'} ${client.closeCode}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#backend.renew();
    await Promise.all([this.#host.stop(0), this.#guest[Symbol.asyncDispose]()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Opens an event stream, causes events before and after the frames, and returns the events that came. */
async function follow(
  client: WebsocketClient,
  pieces: readonly Buffer[],
  tell: () => void,
): Promise<Buffer[]> {
  await client.opened();
  tell();
  await client.send(pieces);
  tell();
  client.end();
  return client.closed();
}
