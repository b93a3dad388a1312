import { Option } from 'commander';
import { FORMATS } from './tables.ts';

/** The option `-f, --format` of every command that lists something. */
export function formatOption(): Option {
  return new Option('-f, --format <format>', 'how to print it').choices(FORMATS).default('table');
}
