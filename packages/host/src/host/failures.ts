import { CodedError } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';

/** A failure as a client gets it. */
export interface Failure {
  readonly status: number;
  readonly message: string;
}

/** The only place where a thrown value becomes an answer; unexpected errors go to the log. */
export function failureOf(error: unknown, log: Log): Failure {
  if (error instanceof CodedError) {
    // Logged without a stack: code and sentence tell an operator enough.
    if (error.status === 500 || error.status === 507)
      log.warn({ code: error.code, reason: error.message }, 'host API request failed');
    return { status: error.status, message: error.message };
  }
  const status = statusOfFramework(error);
  if (status) return { status, message: (error as Error).message };
  log.error({ err: error }, 'host API request failed unexpectedly');
  return { status: 500, message: 'Internal server error' };
}

/** fastify's own refusals (a malformed URL, a broken multipart body) carry a 4xx status. */
function statusOfFramework(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('statusCode' in error)) return undefined;
  const { code, statusCode } = error;
  if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number')
    return undefined;
  return statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
