import { sampleView } from '../../packages/host/src/guest/testing/harness.ts';
import { type LaneFixture, startLane } from '../../packages/host/src/lane/testing/harness.ts';
import { areAlike, type Exchanged, exchange } from '../exchange.ts';
import { piecesOf } from '../mutate.ts';
import { type Case, mustHold, type Target, type TargetKind } from '../target.ts';
import { WatchedLog } from '../watched-log.ts';
import { makeGuestCase } from './guest.ts';

const VIEW = sampleView({
  allowsGuestConfig: true,
  config: new Map([...sampleView().config, ['user.large', 'L'.repeat(70_000)], ['guest.a', 'mine']]),
});

/** The fast lane answers at least one in this many cases by itself, and usually half of them. */
const LANED_ONE_IN = 10;

/** Sends the same bytes, cut at the same places, to the fast lane and to the server without it. */
export const LANE: TargetKind = {
  name: 'lane',
  shortCases: 300,
  open: () => LaneTarget.open(),
  make: makeGuestCase,
};

class LaneTarget implements Target {
  readonly #guest: LaneFixture;
  readonly #log: WatchedLog;
  #cases = 0;
  /** Cases that the fast lane has answered by itself. */
  #laned = 0;

  private constructor(guest: LaneFixture, log: WatchedLog) {
    this.#guest = guest;
    this.#log = log;
  }

  static async open(): Promise<LaneTarget> {
    const log = new WatchedLog();
    const guest = await startLane({ limits: { writeBurst: Number.MAX_SAFE_INTEGER }, log });
    guest.backend.emit(1, 'config', { key: 'user.foo', value: 'bar' });
    return new LaneTarget(guest, log);
  }

  async run({ bytes, cuts }: Case): Promise<string> {
    const { path, stockPath, backend } = this.#guest;
    const pieces = piecesOf(bytes, cuts);
    const viewed = backend.viewed;
    const laned = await this.#ask(path, pieces);
    this.#cases++;
    if (backend.viewed === viewed) this.#laned++;
    const stock = await this.#ask(stockPath, pieces);
    const detail = `lane: ${laned.received}\nserver: ${stock.received}`;
    mustHold(areAlike(laned, stock), 'the fast lane answers otherwise', detail);
    this.#log.mustBeQuiet();
    const statuses = [...laned.received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)]
      .slice(0, 6)
      .map((match) => match[1]);
    return statuses.join(' ');
  }

  async settle(): Promise<void> {
    mustHold(this.#guest.lane.works, 'the fast lane has failed');
    // Otherwise the target has compared the server without the fast lane with itself.
    mustHold(this.#laned * LANED_ONE_IN >= this.#cases, 'the fast lane answers hardly anything');
  }

  async #ask(path: string, pieces: readonly Buffer[]): Promise<Exchanged> {
    const { backend } = this.#guest;
    if (backend.views.get(1) !== VIEW) backend.setView(VIEW);
    return exchange(path, pieces);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest[Symbol.asyncDispose]();
  }
}
