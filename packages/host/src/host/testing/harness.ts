import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { silentLog } from '../../base/log.ts';
import type { JournalLimits } from '../../store/sqlite/journal-limits.ts';
import { HostServer } from '../server.ts';
import { HeartBackend } from './heart-backend.ts';

/** An answer of the host API. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The parsed body; an envelope. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

/** How a host API is started. */
interface HarnessOptions {
  readonly keepaliveMs?: number;
  readonly journal?: Partial<JournalLimits>;
}

/** A host API over the heart of a daemon, on a real socket. */
export class Harness {
  readonly folder: string;
  readonly path: string;
  readonly backend: HeartBackend;
  readonly server: HostServer;

  private constructor(folder: string, { journal, ...options }: HarnessOptions) {
    this.folder = folder;
    this.path = join(folder, 'unix.socket');
    this.backend = new HeartBackend(folder, journal);
    this.server = new HostServer(this.backend, { log: silentLog, ...options });
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness(await mkdtemp('/var/tmp/porthole-host-'), options);
    await harness.server.listen(harness.path);
    return harness;
  }

  /** Stops it and removes its files. */
  async stop(): Promise<void> {
    await this.server.stop(0);
    this.backend.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Sends a request; `body` is sent as JSON unless it is a string or bytes. */
  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.path, method, path, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const isJson = incoming.headers['content-type'] === 'application/json';
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: bytes,
            json: isJson ? JSON.parse(bytes.toString()) : undefined,
          });
        });
      });
      outgoing.on('error', reject);
      if (body === undefined) return void outgoing.end();
      const bytes = Buffer.isBuffer(body)
        ? body
        : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      outgoing.setHeader('Content-Length', bytes.length);
      outgoing.end(bytes);
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send('GET', path, undefined, headers);
  }

  /** The final state of the operation that an answer names; the answer itself when it names none. */
  async finished(reply: Reply): Promise<Reply> {
    return reply.json.type === 'async' ? this.get(`${reply.json.operation}/wait`) : reply;
  }

  /** Opens a websocket; settles when the handshake is done. @throws Error `refused with STATUS` */
  websocket(path: string): Promise<Inbox> {
    const socket = new WebSocket(`ws+unix:${this.path}:${path}`, { perMessageDeflate: false });
    const inbox = new Inbox(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(inbox));
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
        socket.terminate();
      });
      socket.on('error', reject);
    });
  }
}

/** The messages that come in on a websocket, to be read one by one. */
export class Inbox {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #messages: { data: Buffer; binary: boolean }[] = [];
  #arrived: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data, binary) => {
      this.#messages.push({ data: data as Buffer, binary });
      this.#arrived();
    });
  }

  async next(): Promise<{ data: Buffer; binary: boolean }> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#messages.shift() as { data: Buffer; binary: boolean };
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  async nextJson(): Promise<any> {
    return JSON.parse((await this.next()).data.toString());
  }

  /** All binary data up to the end mark, an empty text message. */
  async untilMark(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const { data, binary } = await this.next();
      if (!binary && data.length === 0) return Buffer.concat(chunks);
      chunks.push(data);
    }
  }
}
