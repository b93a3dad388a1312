import { pino } from 'pino';
import { escapeQuoted } from './printable.ts';

/** A structured log: messages are fixed texts, and values are fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Characters kept while standard error cannot be written (e.g. a file on a full disk); more are dropped. */
const WAITING_MAX = 1024 * 1024;

/** A log of JSON lines on standard error. The daemon continues if a line cannot be written. */
export function createLog(level: LogLevel): Log {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: WAITING_MAX });
  destination.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Standard error may be a terminal, and lines can contain names that guests have chosen.
      hooks: { streamWrite: escapeQuoted },
    },
    destination,
  ) as unknown as Log;
}

const nothing = () => {};

/** A log that writes nothing, for tests and tools. */
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};
