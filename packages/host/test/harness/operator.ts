import { PassThrough, Readable } from 'node:stream';
import { openEvents } from '../../src/client/events.ts';
import { type ExecRequest, exec } from '../../src/client/exec.ts';
import { HostClient, path } from '../../src/client/host-client.ts';
import type { EventJson } from '../../src/wire/event.ts';
import type { InstanceJson } from '../../src/wire/instance.ts';
import type { OperationJson } from '../../src/wire/operation.ts';
import type { TestDaemon } from './daemon.ts';

/** How a command inside an instance ended. */
export interface Ran {
  readonly code: number;
  /** Why it could not be run; empty when it was. */
  readonly err: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Fields of a new instance beyond name and image. */
export type Fields = Readonly<Record<string, unknown>>;

const EVENT_TIMEOUT_MS = 20_000;

/** Actions of operators over the host API: a call takes milliseconds, a CLI call a third of a second. */
export class Operator {
  readonly client: HostClient;

  constructor(daemon: TestDaemon) {
    this.client = new HostClient(daemon.hostSocket);
  }

  /** Creates an instance of the busybox image. */
  async create(name: string, fields: Fields = {}): Promise<void> {
    const source = { type: 'image', alias: 'busybox' };
    await this.client.change('POST', '/1.0/instances', { json: { name, source, ...fields } });
  }

  /** Creates an instance and starts it. */
  async launch(name: string, fields: Fields = {}): Promise<void> {
    await this.create(name, fields);
    await this.state(name, 'start');
  }

  /** Changes the state of an instance; by default without a timeout and without force. */
  async state(name: string, action: string, options: Fields = {}): Promise<void> {
    const json = { action, timeout: -1, force: false, ...options };
    await this.client.change('PUT', path`/1.0/instances/${name}/state`, { json });
  }

  async delete(name: string): Promise<void> {
    await this.client.change('DELETE', path`/1.0/instances/${name}`);
  }

  get(name: string): Promise<InstanceJson> {
    return this.client.get<InstanceJson>(path`/1.0/instances/${name}`);
  }

  /** Names and statuses of all instances. */
  async statuses(): Promise<Record<string, string>> {
    const all = await this.client.get<InstanceJson[]>('/1.0/instances?recursion=1');
    return Object.fromEntries(all.map(({ name, status }) => [name, status]));
  }

  /** The host pid of an instance's init; 0 when it does not run. */
  async pid(name: string): Promise<number> {
    return (await this.client.get<{ pid: number }>(path`/1.0/instances/${name}/state`)).pid;
  }

  /** Changes parts of an instance; null removes a key or device. */
  async patch(name: string, part: Fields): Promise<void> {
    await this.client.change('PATCH', path`/1.0/instances/${name}`, { json: part });
  }

  /** Adds, replaces or (null) removes a device. */
  async device(name: string, device: string, options: Readonly<Record<string, string>> | null) {
    await this.patch(name, { devices: { [device]: options } });
  }

  /** Runs a command inside an instance. */
  async exec(
    name: string,
    command: readonly string[],
    options: Partial<ExecRequest> & { stdin?: string } = {},
  ): Promise<Ran> {
    const { stdin, ...rest } = options;
    const request = { ...PLAIN, command, ...rest };
    const [stdout, stderr] = [new Sink(), new Sink()];
    // A terminal hangs up at the end of its input, so its input stays open.
    const none = request.interactive ? new PassThrough() : null;
    const input = stdin === undefined ? none : Readable.from([Buffer.from(stdin)], { objectMode: false });
    const session = await exec(this.client, name, request, { stdin: input, stdout, stderr });
    const { code, err } = await session.ended;
    return { code, err, stdout: stdout.text, stderr: stderr.text };
  }

  /** Runs a shell script inside an instance. @returns its standard output. @throws when it fails */
  async sh(name: string, script: string): Promise<string> {
    const { code, err, stdout, stderr } = await this.exec(name, ['sh', '-c', script]);
    if (code !== 0) throw new Error(`${script}: ${code} ${err}${stderr}`);
    return stdout.trim();
  }

  /** Listens to lifecycle events from this call on. */
  async watch(): Promise<Watch> {
    const stream = await openEvents(this.client.socketPath, ['lifecycle']);
    return new Watch(stream);
  }
}

const PLAIN: Omit<ExecRequest, 'command'> = {
  environment: {},
  interactive: false,
  width: 80,
  height: 24,
  user: 0,
  group: 0,
  cwd: '',
};

/** Lifecycle events, as they come. */
export class Watch {
  readonly seen: string[] = [];
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #close: () => void;
  #wake = () => {};

  constructor(stream: AsyncIterable<EventJson> & { close(): void }) {
    this.#close = () => stream.close();
    this.ended = this.#read(stream).catch(() => {});
  }

  /** Waits for an event such as `instance-stopped c1`; forgets that event and all before it. */
  async next(wanted: string): Promise<void> {
    const timeout = AbortSignal.timeout(EVENT_TIMEOUT_MS);
    while (!this.seen.includes(wanted)) {
      const more = Promise.withResolvers<void>();
      this.#wake = more.resolve;
      const give = () => more.reject(new Error(`no ${wanted} came, but ${this.seen.join(', ')}`));
      timeout.addEventListener('abort', give, { once: true });
      await more.promise.finally(() => timeout.removeEventListener('abort', give));
    }
    this.seen.splice(0, this.seen.indexOf(wanted) + 1);
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.seen.length = 0;
  }

  close(): void {
    this.#close();
  }

  async #read(stream: AsyncIterable<EventJson>): Promise<void> {
    for await (const { metadata } of stream) {
      const { action, source } = metadata as { action: string; source: string };
      this.seen.push(`${action} ${source.split('/').at(-1)}`);
      this.#wake();
    }
  }
}

class Sink extends PassThrough {
  text = '';

  constructor() {
    super();
    this.setEncoding('utf8');
    this.on('data', (chunk: string) => {
      this.text += chunk;
    });
  }
}

/** Sends a request and returns its operation; `wait` of the client gives the result. */
export function begin(
  operator: Operator,
  method: string,
  target: string,
  json: unknown,
): Promise<OperationJson | undefined> {
  return operator.client.begin(method, target, { json });
}
