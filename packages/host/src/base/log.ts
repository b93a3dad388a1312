import { pino } from 'pino';
import { escapeQuoted } from './printable.ts';

/** A structured log: fixed messages, variables as fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Characters that wait while standard error takes nothing, such as a file on a full disk; more are dropped. */
const WAITING_MAX = 1024 * 1024;

/** A log of JSON lines on standard error. A line that cannot be written is no reason to end. */
export function createLog(level: LogLevel): Log {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: WAITING_MAX });
  destination.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // It may lead to a terminal, and tells of what guests have named.
      hooks: { streamWrite: escapeQuoted },
    },
    destination,
  ) as unknown as Log;
}

const nothing = () => {};

/** A log that keeps quiet, for tests and tools. */
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};
