/** An expected failure: a stable code for programs, a status and a message for the one who asked. */
export class CodedError extends Error {
  readonly code: string;
  /** HTTP status that the edge answers with. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
    this.status = status;
  }
}

/** A row of an error table: status and message, `%s` standing for what is given when it is thrown. */
export type ErrorRow = readonly [status: number, message: string];

/**
 * Makes the one function that throws the errors of a table.
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

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
