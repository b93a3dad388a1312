import { z } from 'zod';
import { ID_MAX } from '../base/linux-ids.ts';
import { mapOf, orElse, parse, parseJson, TERMINAL_SIZE_MAX, terminalSize, text } from './parse.ts';
import { wireError } from './wire-errors.ts';

/** The highest signal number of Linux. */
const SIGNAL_MAX = 64;

const environmentKey = text.refine(
  (key) => key !== '' && !key.includes('='),
  'must not be empty or hold "="',
);

const execSchema = z.object({
  command: z.array(text).min(1, 'must not be empty'),
  environment: orElse(mapOf(orElse(text, ''), environmentKey), {}),
  interactive: orElse(z.boolean(), false),
  width: orElse(terminalSize, 0),
  height: orElse(terminalSize, 0),
  user: orElse(z.number().int().min(0).max(ID_MAX), 0),
  group: orElse(z.number().int().min(0).max(ID_MAX), 0),
  cwd: orElse(text, ''),
  'wait-for-websocket': orElse(z.boolean(), false),
  'record-output': orElse(z.boolean(), false),
});

/** Reads the body of POST /1.0/instances/NAME/exec. @throws CodedError 400 */
export function parseExec(body: unknown) {
  const {
    'wait-for-websocket': waitForWebsocket,
    'record-output': recordOutput,
    ...request
  } = parse(execSchema, body);
  if (recordOutput) throw wireError('no-recorded-output');
  return { ...request, waitForWebsocket };
}

/** A message that a client may send on the control websocket of an exec. */
export type ExecControl =
  | { readonly command: 'window-resize'; readonly width: number; readonly height: number }
  | { readonly command: 'signal'; readonly signal: number };

/** LXD's client sends the sizes as strings. */
const size = z.coerce.number().int().min(1).max(TERMINAL_SIZE_MAX);

const controlSchema = z.discriminatedUnion('command', [
  z.object({ command: z.literal('window-resize'), args: z.object({ width: size, height: size }) }),
  z.object({ command: z.literal('signal'), signal: z.number().int().min(1).max(SIGNAL_MAX) }),
]);

/** Reads one message of the control websocket. @throws CodedError 400 for an invalid message */
export function parseExecControl(message: string): ExecControl {
  const control = parse(controlSchema, parseJson(message));
  return control.command === 'signal' ? control : { command: control.command, ...control.args };
}
