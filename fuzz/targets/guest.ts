import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GuestFixture,
  sampleImage,
  sampleView,
  startGuest,
} from '../../packages/host/src/guest/testing/harness.ts';
import { type Answer, readAnswers, signatureOf } from '../answers.ts';
import { areAlike, type Exchanged, exchange } from '../exchange.ts';
import { makeRequest, mutateRequests } from '../http-mutate.ts';
import { cutsFor, piecesOf } from '../mutate.ts';
import type { Random } from '../random.ts';
import { type Framing, readRequests } from '../requests.ts';
import { type Case, mustHold, type Target, type TargetKind } from '../target.ts';
import { WatchedLog } from '../watched-log.ts';
import { FINGERPRINT, GUEST_WORDS } from './guest-words.ts';

/** A request that is sent after every case: it gets its own answer or none, with any case before it. */
const CANARY = Buffer.from('GET /1.0/config/user.canary HTTP/1.1\r\nHost: lxd\r\n\r\n');
const CANARY_VALUE = 'the canary sings';
/** A value that only the other instance has. */
const SECRET = 'a secret of the other instance';

const VIEW = sampleView({
  allowsGuestConfig: true,
  config: new Map([
    ...sampleView().config,
    ['user.canary', CANARY_VALUE],
    ['user.large', 'L'.repeat(70_000)],
    ['guest.a', 'mine'],
  ]),
});
const OTHER_VIEW = sampleView({
  instanceId: 2,
  name: SECRET,
  config: new Map([['user.foo', SECRET]]),
  metaData: SECRET,
});

/** Bytes to the guest API's server without the fast lane. */
export const GUEST: TargetKind = {
  name: 'guest',
  shortCases: 400,
  open: () => GuestTarget.open(),
  make: makeGuestCase,
};

/** A case for the guest API, with the fast lane or without it. */
export function makeGuestCase(random: Random, corpus: readonly Case[]): Case {
  const other = random.pick(corpus)?.bytes ?? makeRequest(random, GUEST_WORDS);
  const bytes = random.percent(20)
    ? makeRequest(random, GUEST_WORDS)
    : mutateRequests(random.pick(corpus)?.bytes ?? other, random, other, GUEST_WORDS);
  return { bytes, cuts: cutsFor(bytes.length, random) };
}

class GuestTarget implements Target {
  readonly #guest: GuestFixture;
  readonly #log: WatchedLog;

  private constructor(guest: GuestFixture, log: WatchedLog) {
    this.#guest = guest;
    this.#log = log;
  }

  static async open(): Promise<GuestTarget> {
    const log = new WatchedLog();
    // The limit on the rate of writes comes first; it would make the results of cases depend on time.
    const guest = await startGuest({ writeBurst: Number.MAX_SAFE_INTEGER }, log);
    const { backend, dir } = guest;
    backend.views.set(2, OTHER_VIEW);
    for (const id of [1, 2])
      backend.emit(id, 'config', { key: 'user.foo', value: id === 1 ? 'bar' : SECRET });
    const [metadata, rootfs] = [join(dir, 'metadata'), join(dir, 'rootfs')];
    await Promise.all([writeFile(metadata, 'META'), writeFile(rootfs, 'ROOT'.repeat(99))]);
    const files = { kind: 'split', metadataExtension: '.tar', rootfsExtension: '' } as const;
    backend.images.set(FINGERPRINT, { image: sampleImage(FINGERPRINT, files), paths: [metadata, rootfs] });
    return new GuestTarget(guest, log);
  }

  async run({ bytes, cuts }: Case): Promise<string> {
    const sent = Buffer.concat([bytes, CANARY]);
    const whole = await this.#ask([sent]);
    if (cuts.length > 0) {
      const inPieces = await this.#ask(piecesOf(sent, cuts));
      const detail = `whole: ${whole.received}\nin pieces: ${inPieces.received}`;
      mustHold(areAlike(inPieces, whole), 'cuts change the answers', detail);
    }
    this.#log.mustBeQuiet();
    return checkAnswers(bytes, whole.received);
  }

  async settle(): Promise<void> {
    const { backend, server } = this.#guest;
    mustHold(backend.subscribers === 0 && backend.watched === 0, 'a listener is left after the end');
    mustHold(server.connections() < 100, 'connections are left');
  }

  async #ask(pieces: readonly Buffer[]): Promise<Exchanged> {
    this.#guest.backend.swapView(1, VIEW);
    return exchange(this.#guest.path, pieces);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest[Symbol.asyncDispose]();
  }
}

/** @returns the outcome */
function checkAnswers(bytes: Buffer, received: string): string {
  const framing = readRequests(Buffer.concat([bytes, CANARY]).toString('latin1'));
  const methods = framing.requests.map(({ method }) => method);
  // Then it is not known which answers are for a HEAD.
  const known = framing.rest !== 'nothing' && bytes.includes('HEAD');
  const { answers, behind } = readAnswers(received, methods, known);
  mustHold(known || behind === '', 'something follows an answer that closes', received);
  mustHold(!received.includes(SECRET), 'an answer tells of another instance', received);
  mustHold(!answers.some(({ status }) => status === 500), 'a 500', received);
  mustHold(received.split(CANARY_VALUE).length <= 2, 'the canary is answered twice', received);
  // A websocket whose client half is closed may also end.
  if (!known && !/upgrade/i.test(bytes.toString('latin1'))) checkCount(answers, framing, received);
  if (readRequests(bytes.toString('latin1')).rest === 'nothing')
    checkCanary(answers, methods.length, received);
  return `${signatureOf(answers)} ${framing.rest}`;
}

function checkCount(answers: readonly Answer[], { requests, rest }: Framing, received: string): void {
  const last = answers.at(-1);
  mustHold(last !== undefined, 'no answer');
  if (answers.length < requests.length) mustHold(last.closes, 'a request has no answer', received);
  if (rest === 'unclear') return;
  const most = requests.length + (rest === 'nothing' ? 0 : 1);
  mustHold(answers.length <= most, 'more answers than requests', received);
  const refused = last.closes && last.status >= 400;
  if (rest === 'ambiguous')
    mustHold(answers.length < most || refused, 'an ambiguous request is served', received);
}

/**
 * After whole requests the canary is one more request: it has its own answer, or the connection has ended.
 */
function checkCanary(answers: readonly Answer[], requests: number, received: string): void {
  const [own, others] = [answers[requests - 1], answers.slice(0, requests - 1)];
  const sung = ({ body }: Answer) => body.includes(CANARY_VALUE);
  mustHold(!others.some(sung), "another request has the canary's answer", received);
  mustHold(
    own === undefined || own.body === CANARY_VALUE,
    'the canary has the answer of another request',
    received,
  );
}
