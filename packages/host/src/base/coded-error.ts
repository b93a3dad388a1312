/** An expected failure: a stable code for programs, and a status and a message for the client. */
export class CodedError extends Error {
  readonly code: string;
  /** HTTP status of the response. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
    this.status = status;
  }
}

/** A row of an error table: status and message. Each `%s` stands for a value given when the error is made. */
export type ErrorRow = readonly [status: number, message: string];

/**
 * Makes the function that creates the errors of a table.
 * @returns a function from a code of the table and the values for its `%s` to a {@link CodedError}
 */
export function errorsOf<T extends Record<string, ErrorRow>>(table: T) {
  return (code: keyof T & string, ...values: readonly string[]): CodedError => {
    const [status, message] = table[code] as ErrorRow;
    let next = 0;
    const text = message.replaceAll('%s', () => values[next++] ?? '');
    return new CodedError(code, status, text);
  };
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
