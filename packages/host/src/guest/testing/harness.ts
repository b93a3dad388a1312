import { access, mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Log, silentLog } from '../../base/log.ts';
import type { Caller } from '../../core/caller.ts';
import type { EventPage, EventQuery, Image, JournalSpan, StoredEvent } from '../../core/entities.ts';
import { listEtag, valueEtags } from '../../core/etags.ts';
import type { GuestView } from '../../core/view.ts';
import type { GuestBackend, WriteResult } from '../backend.ts';
import type { Limits } from '../guest-limits.ts';
import { type GuestFrontEnd, GuestServer } from '../server.ts';

/** A view with an example of everything. */
export function sampleView(changes: Partial<GuestView> = {}): GuestView {
  const view = {
    instanceId: 1,
    name: 'c1',
    devlxd: true,
    allowsImages: true,
    allowsGuestConfig: false,
    ready: false,
    location: 'myhost',
    config: new Map([
      ['user.foo', 'bar'],
      ['user.üni', 'grün\n'],
      ['user.sl/ash', 'slash'],
      ['user.pct%41', 'percent'],
      ['cloud-init.user-data', '#cloud-config\n'],
      ['cloud-init.ssh-keys.k', 'root:gh:u1'],
    ]),
    listed: ['cloud-init.user-data', 'user.foo', 'user.pct%41', 'user.sl/ash', 'user.üni'],
    devices: { eth0: { hwaddr: '00:16:3e:00:00:01', type: 'nic' }, root: { path: '/', type: 'disk' } },
    metaData: '#cloud-config\ninstance-id: x\nlocal-hostname: c1\n',
    ...changes,
  };
  return { ...view, etags: valueEtags(view.config), listEtag: listEtag(view.listed) };
}

/** An image's record; only the fields that the guest API reads have a meaning. */
export function sampleImage(fingerprint: string, files: Image['files'], isPublic = true): Image {
  const never = '1970-01-01T00:00:00Z';
  return {
    fingerprint,
    architecture: 'x86_64',
    size: 0,
    filename: 'image',
    public: isPublic,
    cached: false,
    autoUpdate: false,
    properties: {},
    profiles: [],
    createdAt: never,
    uploadedAt: never,
    lastUsedAt: never,
    expiresAt: never,
    files,
  };
}

/** A fake daemon that records its calls. */
export class FakeBackend implements GuestBackend {
  /** The caller of the next connections. */
  caller: Caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
  readonly views = new Map<number, GuestView>([[1, sampleView()]]);
  readonly images = new Map<string, { image: Image; paths: readonly string[] }>();
  readonly retrieved: string[] = [];
  identified = 0;
  viewed = 0;
  storeBroken = false;
  writeWeight = () => 1;
  readonly #watchers = new Set<{ instanceId: number; listener: () => void }>();
  readonly #listeners = new Set<{ instanceId: number; listener: (event: StoredEvent) => void }>();
  /** The number of the newest event. */
  newest = 0;
  /** How often the journal was read. */
  queries = 0;
  /** Stored events, oldest first. */
  #journal: StoredEvent[] = [];
  /** The newest dropped event of each instance. */
  readonly #floors = new Map<number, number>();

  identify(fd: number): Caller {
    if (fd < 0) throw new Error('not a descriptor');
    this.identified++;
    return this.caller;
  }

  view(instanceId: number): GuestView | undefined {
    this.viewed++;
    return this.views.get(instanceId);
  }

  watchView(instanceId: number, listener: () => void): () => void {
    const entry = { instanceId, listener };
    this.#watchers.add(entry);
    return () => this.#watchers.delete(entry);
  }

  get watched(): number {
    return this.#watchers.size;
  }

  /** Commits another view; undefined means that the run is over. */
  swapView(instanceId: number, view: GuestView | undefined): void {
    if (view === undefined) this.views.delete(instanceId);
    else this.views.set(instanceId, view);
    for (const entry of [...this.#watchers]) if (entry.instanceId === instanceId) entry.listener();
  }

  image(fingerprint: string): Image | undefined {
    return this.images.get(fingerprint)?.image;
  }

  imagePaths(image: Image): readonly string[] {
    return this.images.get(image.fingerprint)!.paths;
  }

  /** There is no other host. */
  async ensureImage(image: Image): Promise<void> {
    for (const path of this.imagePaths(image)) await access(path);
  }

  async setReady(instanceId: number, ready: boolean): Promise<WriteResult> {
    if (this.storeBroken) throw new Error('disk full at /var/lib/secret');
    this.views.set(instanceId, { ...this.views.get(instanceId)!, ready });
    return 'stored';
  }

  async writeKey(instanceId: number, key: string, value: string | null): Promise<WriteResult> {
    if (this.storeBroken) throw new Error('disk full at /var/lib/secret');
    const view = this.views.get(instanceId)!;
    const others = [...view.config].filter(([each]) => each !== key);
    const config = new Map(value === null ? others : [...others, [key, value] as const]);
    this.swapView(instanceId, sampleView({ ...view, config, listed: [...config.keys()].sort() }));
    return 'stored';
  }

  async imageRetrieved(_instanceId: number, fingerprint: string): Promise<WriteResult> {
    this.retrieved.push(fingerprint);
    return 'stored';
  }

  eventsAfter({ instanceId, after, types, events, bytes }: EventQuery): EventPage {
    this.queries++;
    const all = this.#journal.filter(
      (event) => event.instanceId === instanceId && event.sequence > after && types.has(event.type),
    );
    let size = 0;
    const page = all.slice(0, events).filter((event, index) => {
      const room = index === 0 || size < bytes;
      size += JSON.stringify(event.metadata).length;
      return room;
    });
    const more = page.length < all.length;
    return { events: page, more, reached: more ? (page.at(-1)?.sequence ?? after) : this.newest };
  }

  journalSpan(instanceId: number): JournalSpan {
    return { oldest: this.#floors.get(instanceId) ?? 0, newest: this.newest };
  }

  /** Drops all events up to this number. */
  trim(sequence: number): void {
    for (const event of this.#journal) {
      if (event.sequence <= sequence && event.instanceId !== null)
        this.#floors.set(event.instanceId, event.sequence);
    }
    this.#journal = this.#journal.filter((event) => event.sequence > sequence);
  }

  subscribe(instanceId: number, listener: (event: StoredEvent) => void): () => void {
    const entry = { instanceId, listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  /** Commits an event. */
  emit(instanceId: number, type: StoredEvent['type'], metadata: Record<string, unknown>): void {
    const timestamp = '2026-01-02T03:04:05.678Z';
    const event: StoredEvent = { sequence: ++this.newest, instanceId, type, timestamp, metadata };
    this.#journal.push(event);
    for (const entry of [...this.#listeners]) if (entry.instanceId === instanceId) entry.listener(event);
  }

  setKey(instanceId: number, key: string, value: string): void {
    this.emit(instanceId, 'config', { value, key, old_value: '' });
  }
}

export interface GuestFixture extends AsyncDisposable {
  readonly backend: FakeBackend;
  readonly server: GuestServer;
  readonly path: string;
  /** A folder that is deleted with the fixture. */
  readonly dir: string;
}

/** Starts a guest API on its own socket. Use it with `await using`. */
export async function startGuest(
  limits: Partial<Limits> = {},
  log: Log = silentLog,
  frontEnd?: GuestFrontEnd,
): Promise<GuestFixture> {
  const dir = await mkdtemp('/var/tmp/porthole-guest-');
  const path = join(dir, 'sock');
  const backend = new FakeBackend();
  const server = new GuestServer(backend, { log, limits, frontEnd });
  await server.listen(path);
  const dispose = async () => {
    await server.stop(0);
    await rm(dir, { recursive: true, force: true });
  };
  return { backend, server, path, dir, [Symbol.asyncDispose]: dispose };
}

/** A client that sends and receives raw bytes. */
export class RawClient {
  readonly socket: Socket;
  /** Everything received so far, one character per byte. */
  received = '';
  readonly closed: Promise<void>;
  #wake = () => {};

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.closed = new Promise((resolve) => {
      this.socket.on('end', () => resolve());
      this.socket.on('close', () => resolve());
    });
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    this.socket.on('error', () => {});
  }

  send(bytes: string): this {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  /** Waits until the received bytes match. */
  async until(found: (received: string) => boolean): Promise<string> {
    const ended = this.closed.then(() => 'closed' as const);
    while (!found(this.received)) {
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if ((await Promise.race([more, ended])) === 'closed' && !found(this.received)) {
        throw new Error(`closed after ${JSON.stringify(this.received)}`);
      }
    }
    return this.received;
  }

  /** Waits until the server ends the connection. */
  async end(): Promise<string> {
    await this.closed;
    this.socket.destroy();
    return this.received;
  }
}

/** Sends bytes, half-closes, and returns everything that comes back. */
export async function exchange(path: string, bytes: string): Promise<string> {
  const client = new RawClient(path).send(bytes);
  client.socket.end();
  return client.end();
}

/** Sends one HTTP/1.1 request and returns the head and the body of the answer. */
export async function ask(path: string, line: string, headers = '', body = ''): Promise<[string, string]> {
  const request = `${line} HTTP/1.1\r\nHost: lxd\r\n${headers}\r\n${body}`;
  const answer = (await exchange(path, request)).replace(/Date: [^\r]+/, 'Date: D');
  const end = answer.indexOf('\r\n\r\n') + 4;
  return [answer.slice(0, end), answer.slice(end)];
}
