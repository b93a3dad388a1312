/** All that was noted in a run, without any judgement. Times are milliseconds of the machine's monotonic clock. */
export interface RunRecord {
  /** All that happened in etcd, in order, as a program outside of the daemons has seen it. */
  readonly history: readonly Revision[];
  /** The revision at which everything was made, and nobody had changed anything yet. */
  readonly begun: number;
  readonly changes: readonly ChangeTry[];
  readonly looks: readonly Look[];
  readonly guests: readonly GuestLog[];
  readonly faults: readonly FaultSpan[];
  /** When etcd forgot revisions. */
  readonly compactions: readonly number[];
  /** By member, what it shows when all faults are over. */
  readonly ends: ReadonlyMap<string, Shown>;
}

/** One revision of etcd. */
export interface Revision {
  readonly revision: number;
  /** The key without the fleet's prefix; null: it was deleted. */
  readonly puts: readonly (readonly [key: string, value: string | null])[];
}

/** How a change ended, for the one who asked for it. */
export type ChangeEnd =
  | 'done'
  /** It is in the fleet, but the member has not applied it in time. */
  | 'not applied yet'
  /** Certainly not made. */
  | 'refused'
  /** Refused, because the member is cut off. */
  | 'cut off'
  /** Made or not. */
  | 'unknown'
  /** An answer that no rule knows. */
  | 'unexpected';

/** A change that an operator or a guest has asked for. */
export interface ChangeTry {
  /** Unique; it is a part of the new value. */
  readonly mark: string;
  readonly by: 'operator' | 'guest';
  /** The member that was asked. */
  readonly member: string;
  /** The key of the object in etcd, such as `profiles/web`. */
  readonly object: string;
  readonly kind: 'put' | 'delete';
  readonly begin: number;
  readonly end: number;
  readonly outcome: ChangeEnd;
  /** The error; empty without one. */
  readonly text: string;
  /** Members that have not confirmed it. */
  readonly unconfirmed: readonly string[];
}

/** What a member showed of an object right after a change of it was done. */
export interface Look {
  readonly mark: string;
  /** The member that was asked for the change. */
  readonly asked: string;
  /** The member that was looked at. */
  readonly member: string;
  readonly object: string;
  readonly begin: number;
  readonly end: number;
  /** Its config as it is shown; null: it is not there. */
  readonly config: Readonly<Record<string, string>> | null;
}

/** What one guest has seen. */
export interface GuestLog {
  readonly instance: string;
  /** The member on which it is. */
  readonly member: string;
  readonly lines: readonly GuestLine[];
  readonly reads: readonly GuestRead[];
}

/** Something that a guest has seen of its events. */
export interface GuestLine {
  readonly at: number;
  readonly kind: 'event' | 'opened' | 'closed' | 'gone' | 'restarted' | 'refused' | 'broken';
  readonly text: string;
}

/** A key that a guest has read. */
export interface GuestRead {
  readonly key: string;
  readonly begin: number;
  readonly end: number;
  /** HTTP status; a word if there was no answer. */
  readonly status: string;
  readonly text: string;
}

/** A fault, from before its begin until after its end. */
export interface FaultSpan {
  readonly kind: string;
  /** The hosts that it reaches. */
  readonly hosts: readonly string[];
  readonly begin: number;
  readonly end: number;
}

/** Everything that a member shows. */
export interface Shown {
  readonly profiles: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly instances: ReadonlyMap<string, ShownInstance>;
}

export interface ShownInstance {
  readonly profiles: readonly string[];
  /** Without what only its host knows. */
  readonly config: Readonly<Record<string, string>>;
  readonly status: string;
}
