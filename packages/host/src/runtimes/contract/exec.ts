export interface ExecRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly interactive: boolean;
  readonly width: number;
  readonly height: number;
  readonly user: number;
  readonly group: number;
  readonly cwd: string;
  /**
   * True: streams are connected by `ExecSession.connect`. False: output is dropped, or recorded by the host
   * API.
   */
  readonly waitForWebsocket: boolean;
}

/** The streams of a process inside an instance, once it runs. */
export interface ExecProcess {
  /** Bytes for its standard input, or for the pty; false: wait for `onDrain` before writing more. */
  write(data: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  /** Ends the input; hangs up when interactive. */
  endInput(): void;
  /**
   * Calls back with output; `fd` is 1 or 2 (only 1 when interactive). Must be called before output is read.
   */
  onOutput(listener: (fd: 1 | 2, data: Uint8Array) => void): void;
  /** Stops and resumes reading of its output: back pressure. */
  pause(): void;
  resume(): void;
  resize(width: number, height: number): void;
  /** Sends a signal, by number, to the process in the instance. */
  signal(number: number): void;
  /**
   * Exit code; 128+n when signal n ended the process. All output has been passed on before this settles.
   * @throws CodedError command-not-found, command-not-executable
   */
  readonly exited: Promise<number>;
}
