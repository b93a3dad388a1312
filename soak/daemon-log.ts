/** A line of the daemon's log that is a warning or worse. */
export interface Complaint {
  readonly level: string;
  readonly msg: string;
  /** The whole line. */
  readonly line: string;
}

/** A line of the log, as far as it matters here. */
interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly soak?: Inside;
  /** After the garbage was collected: bytes of the main thread's heap. */
  readonly heap?: number;
}

/** What `inside.mjs` measures in the daemon: bytes of the main thread's heap, and delays of its turns in ms. */
export interface Inside {
  readonly heap: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const COMPLAINTS: readonly string[] = ['warn', 'error', 'fatal'];
const NOT_JSON = 'none';

/** Reads what a daemon writes to standard error, over all its restarts. */
export class DaemonLog {
  readonly complaints: Complaint[] = [];
  #inside: Inside[] = [];
  #rest = '';
  #waiting: { readonly msg: string; readonly resolve: (line: LogLine) => void }[] = [];

  /** Takes a piece of the text. */
  readonly hear = (text: string): void => {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#read(line);
  };

  /** Waits for a line with this message. */
  logged(msg: string): Promise<LogLine> {
    return new Promise((resolve) => this.#waiting.push({ msg, resolve }));
  }

  /** What has been measured in the daemon since the last call. */
  takeInside(): readonly Inside[] {
    return this.#inside.splice(0);
  }

  /** How often each message that is a warning or worse has come. */
  counts(): Record<string, number> {
    const all = Object.groupBy(this.complaints, ({ level, msg }) => `${level}: ${msg}`);
    return Object.fromEntries(Object.entries(all).map(([text, each]) => [text, each?.length ?? 0]));
  }

  #read(line: string): void {
    const fields = parsed(line);
    const { level = NOT_JSON, msg = line, soak } = fields;
    if (soak) {
      this.#inside.push(soak);
      return;
    }
    if (COMPLAINTS.includes(level) || level === NOT_JSON) this.complaints.push({ level, msg, line });
    const found = this.#waiting.filter((each) => each.msg === msg);
    this.#waiting = this.#waiting.filter((each) => !found.includes(each));
    for (const { resolve } of found) resolve(fields);
  }
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {};
  }
}
