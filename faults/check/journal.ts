import type { EventRow, Rows } from './rows.ts';

/** An event that a listener has got. */
export type Heard = EventRow;

/**
 * What clients of the daemon know: the events that they got, and the requests that were answered. The daemon may have
 * carried out a request without an answer, or not.
 */
export class Ledger {
  readonly heard: Heard[] = [];
  /** Whether the disk was full. From then on the oldest events may make room for new ones. */
  wasFull = false;
  /** Requests, as the events that one of them makes: `instance-started c1`. */
  readonly asked: { readonly after: number; readonly tells: readonly string[]; answered: boolean }[] = [];

  /** Notes a request. @param after the newest position before it @returns a function for its success */
  ask(after: number, tells: readonly string[]): () => void {
    const request = { after, tells, answered: false };
    this.asked.push(request);
    return () => {
      request.answered = true;
    };
  }
}

/** The reader of the host's events. */
const HOST = 0;

/** `ACTION NAME` of an event of the host. */
function tellOf({ metadata }: Pick<EventRow, 'metadata'>): string {
  const source = String(metadata['source']);
  return `${metadata['action']} ${decodeURIComponent(source.slice(source.lastIndexOf('/') + 1))}`;
}

/**
 * Compares the journal with what clients know: each event that a client got is there, with the same position and
 * content; each successful request has its events once; no request has the same event twice.
 */
export function checkJournal(rows: Rows, ledger: Ledger): string[] {
  const stored = new Map(rows.events.map((event) => [event.sequence, event]));
  const newest = Math.max(0, ...stored.keys());
  return [
    ...(newest > rows.given.events ? [`position ${newest} was never given`] : []),
    ...ledger.heard
      .filter((event) => !(ledger.wasFull && isBelowFloor(rows, event)))
      .flatMap((event) => checkHeard(rows, stored.get(event.sequence), event)),
    ...checkOrder(ledger.heard),
    ...checkAsked(rows, ledger),
  ];
}

function isBelowFloor({ floors }: Rows, { instanceId, sequence }: Heard): boolean {
  return sequence <= (floors.get(instanceId ?? HOST) ?? 0);
}

function checkHeard(rows: Rows, stored: EventRow | undefined, heard: Heard): string[] {
  const { sequence, instanceId, type } = heard;
  // Events of an instance go with it.
  if (instanceId !== null && !rows.instances.some(({ id }) => id === instanceId)) return [];
  if (!stored)
    return wentWithItsInstance(rows, heard)
      ? []
      : [`event ${sequence} (${wordsOf(heard)}) was heard, and is lost`];
  const text = (event: EventRow) =>
    event.instanceId === null ? tellOf(event) : JSON.stringify(event.metadata);
  const same = stored.type === type && stored.instanceId === instanceId && text(stored) === text(heard);
  return same
    ? []
    : [`event ${sequence} was heard as ${wordsOf(heard)}, and is stored as ${wordsOf(stored)}`];
}

/** Events of the host that an instance itself can cause. They count for it, and go with it. */
const CAUSED_INSIDE = [
  ...['instance-shutdown', 'instance-restarted', 'instance-ready', 'instance-updated'],
  'image-retrieved',
];

function wentWithItsInstance({ instances, events }: Rows, { metadata, sequence }: Heard): boolean {
  const [action = '', name = ''] = tellOf({ metadata }).split(' ');
  const later = events.some(
    (event) => event.sequence > sequence && tellOf(event) === `instance-created ${name}`,
  );
  const isThere = instances.some((instance) => instance.name === name) && !later;
  return metadata['requestor'] === undefined && CAUSED_INSIDE.includes(action) && !isThere;
}

/** Listeners of one daemon hear positions in order; those of the next daemon hear later ones. */
function checkOrder(heard: readonly Heard[]): string[] {
  return heard.flatMap(({ sequence }, at) => {
    const before = heard[at - 1]?.sequence ?? 0;
    return sequence > before ? [] : [`event ${sequence} was heard after event ${before}`];
  });
}

function checkAsked({ events, floors }: Rows, { asked, wasFull }: Ledger): string[] {
  const dropped = wasFull ? (floors.get(HOST) ?? 0) : 0;
  const told = events.filter(({ instanceId }) => instanceId === null);
  return asked.flatMap(({ after, tells, answered }, at) => {
    const until = asked[at + 1]?.after ?? Number.POSITIVE_INFINITY;
    const since = told.filter(({ sequence }) => sequence > after && sequence <= until).map(tellOf);
    return [...new Set(tells)].flatMap((tell) => {
      const count = since.filter((each) => each === tell).length;
      const wanted = tells.filter((each) => each === tell).length;
      if (count > wanted) return [`${tell}: ${count} events for ${wanted}`];
      return answered && count < wanted && after >= dropped
        ? [`${tell} was acknowledged, and has no event`]
        : [];
    });
  });
}

function wordsOf(event: EventRow): string {
  return event.instanceId === null ? tellOf(event) : `${event.type} of ${event.instanceId}`;
}
