/** The daemon refused a request, or an operation failed. `message` is the daemon's own text. */
export class ApiError extends Error {
  /** HTTP status, or the status code of the failed operation. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** An operation that the daemon had begun has failed. */
export class OperationError extends ApiError {}

/** The daemon could not be reached. `message` names the socket and says what to do. */
export class ConnectionError extends Error {
  /** Code of the system error, such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConnectionError';
    this.code = code;
  }
}

const NOT_RUNNING = "Porthole's daemon is not running";
const NOT_ALLOWED = 'become root or a member of the group "porthole"';

/** The sentence for each system error on a Unix socket; `%s` is the socket's path. */
const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: `${NOT_RUNNING}: there is no %s. Start it with: portholed`,
  ECONNREFUSED: `${NOT_RUNNING}: nothing listens on %s. Start it with: portholed`,
  ENOTSOCK: '%s is not a socket: is the state directory right?',
  ENOTDIR: '%s is not a socket: is the state directory right?',
  EACCES: `You may not use %s: ${NOT_ALLOWED}`,
  EPERM: `You may not use %s: ${NOT_ALLOWED}`,
  EAGAIN: 'The daemon at %s accepts no more connections at the moment: try again',
  ECONNRESET: 'The daemon at %s ended the connection before it answered',
  EPIPE: 'The daemon at %s ended the connection before it answered',
  EINVAL: 'The path %s is too long for a socket: choose a shorter state directory',
  ENAMETOOLONG: 'The path %s is too long for a socket: choose a shorter state directory',
  ELOOP: 'The path %s leads through too many links',
  EPROTOTYPE: '%s is a socket of another kind: is the state directory right?',
  EMFILE: 'Too many files are open: %s could not be opened',
  ENFILE: 'Too many files are open on this host: %s could not be opened',
};

/** The parser's errors of what is not HTTP. */
const NO_HTTP = /^HPE_/;
const OTHER_PROGRAM = 'What listens on %s does not answer as the daemon does: is the state directory right?';

/**
 * Explains a failure of the connection itself.
 * @param error the error from Node; an error without a system code is returned unchanged
 */
export function explainConnection(error: unknown, socketPath: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string' || error instanceof ConnectionError) return error;
  const sentence = NO_HTTP.test(code) ? OTHER_PROGRAM : SENTENCES[code];
  if (!sentence) return error;
  return new ConnectionError(
    code,
    sentence.replace('%s', () => socketPath),
    { cause: error },
  );
}

/** True for an ApiError of that HTTP status. */
export function hasStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}
