import type { ExecSession } from '../../instances/requests.ts';
import { FakeProcess } from '../../instances/testing/fake-process.ts';
import type { FakeRuntime } from '../../instances/testing/fake-runtime.ts';
import type { ExecRequest } from '../../runtimes/contract/exec.ts';

/** An exec whose process a test has before it starts; it runs after `start`. */
export interface NotedSession extends ExecSession {
  readonly process: FakeProcess;
  readonly starts: number;
}

/** Records execs as the host API asks for them. */
export class ExecNotes {
  readonly sessions: NotedSession[] = [];
  readonly #runtime: FakeRuntime;

  constructor(runtime: FakeRuntime) {
    this.#runtime = runtime;
  }

  note(request: ExecRequest, session: ExecSession): ExecSession {
    const process = new FakeProcess(request);
    const noted = { ...session, process, starts: 0 };
    noted.start = () => {
      noted.starts++;
      this.#runtime.nextProcesses.push(process);
      return session.start();
    };
    this.sessions.push(noted);
    return noted;
  }
}
