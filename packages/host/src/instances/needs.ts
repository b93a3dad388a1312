import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { EventPage, EventQuery, JournalSpan } from '../core/entities.ts';
import type { Random } from '../core/random.ts';
import type { EventHub } from '../model/hub.ts';
import type { KeyedQueue } from '../model/keyed-queue.ts';
import type { Model } from '../model/model.ts';
import type { Operations } from '../model/operations.ts';
import type { Adopter, Init, RuntimeOf } from '../runtimes/contract/runtime.ts';
import type { Reboots } from './reboots.ts';
import type { Recognition } from './recognition.ts';
import type { Roots } from './roots.ts';
import type { Runs } from './runs.ts';
import type { Unsettled } from './unsettled.ts';

/** Tells which running instance a caller of the guest API is in. */
export interface Identity {
  /** @returns the run number. @throws if the process has ended; with an `instanceId` if its namespace is that instance's */
  register(instanceId: number, init: Init): number;
  unregister(instanceId: number): void;
}

/** The guest API's connections. */
export interface GuestConnections {
  /** Ends all connections of an instance. @returns how many there were */
  closeInstance(instanceId: number, reason: string): number;
}

/** The stored events. */
export interface JournalReader {
  /** A page of the events of one instance, or of the host, after a position. */
  eventsAfter(query: EventQuery): EventPage;
  /** The positions after which no event is missing. */
  journalSpan(instanceId: number | null): JournalSpan;
}

/** All parts that use cases need. They are made once; the signature of each use case says which it uses. */
export interface Parts {
  readonly model: Model;
  readonly hub: EventHub;
  readonly journal: JournalReader;
  readonly operations: Operations;
  readonly queue: KeyedQueue<number>;
  readonly runtimeOf: RuntimeOf;
  readonly adopter: Adopter;
  readonly running: Runs;
  readonly recognition: Recognition;
  readonly reboots: Reboots;
  readonly unsettled: Unsettled;
  readonly roots: Roots;
  readonly identity: Identity;
  readonly guests: GuestConnections;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
}

/** Some of the parts. */
export type Needs<K extends keyof Parts> = Pick<Parts, K>;

/** The parts needed to handle the end of a run. */
export type EndNeeds = Needs<
  | 'guests'
  | 'identity'
  | 'log'
  | 'model'
  | 'reboots'
  | 'roots'
  | 'queue'
  | 'running'
  | 'runtimeOf'
  | 'unsettled'
>;

/** The parts needed to begin a run and to handle its end, which may start the next run. */
export type RunNeeds = EndNeeds & Needs<'clock'>;
