import { z } from 'zod';
import { orElse, parse, terminalSize, text } from './parse.ts';
import { wireError } from './wire-errors.ts';

const consoleSchema = z.object({
  type: orElse(text, ''),
  width: orElse(terminalSize, 0),
  height: orElse(terminalSize, 0),
});

/** Reads the body of POST /1.0/instances/NAME/console. @throws CodedError 400 */
export function parseConsole(body: unknown) {
  const { type, width, height } = parse(consoleSchema, body);
  if (type === 'vga') throw wireError('console-vga');
  if (type !== '' && type !== 'console') throw wireError('console-type', type);
  return { width, height };
}
