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

/** Ties running instances to the callers on the guest API's socket. */
export interface Identity {
  /** @returns the number of this run. @throws when the process is gone */
  register(instanceId: number, init: Init): number;
  unregister(instanceId: number): void;
}

/** The connections that instances hold. */
export interface GuestConnections {
  /** Ends all connections of an instance. @returns how many there were */
  closeInstance(instanceId: number, reason: string): number;
}

/** Events of the past, which the store keeps. */
export interface JournalReader {
  /** A part of the events of one instance, or of the host, from a position on. */
  eventsAfter(query: EventQuery): EventPage;
  /** Which positions have missed nothing. */
  journalSpan(instanceId: number | null): JournalSpan;
}

/** All that use cases work with. It is put together once; each use case says in its signature what it needs. */
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

/** What it takes to begin a run and to see it to its end: its callers, its queue, its end, and a next run after it. */
export type RunNeeds = Needs<
  | 'clock'
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
