import { parseArgs } from 'node:util';
import { CodedError, messageOf } from '../base/coded-error.ts';
import { type ConfigSources, type DaemonConfig, readConfig } from './config.ts';

/** The word after `portholed` that asks for a recovery. */
export const RECOVER = 'recover';

/** A parsed command line of `portholed recover`. */
export type RecoveryInvocation =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'recover';
      readonly config: DaemonConfig;
      /** Path or name of a copy; null: the newest good one. */
      readonly from: string | null;
      readonly withoutCopy: boolean;
      readonly dryRun: boolean;
      readonly json: boolean;
    };

/** Reads the command line after `recover`. @throws CodedError bad-settings */
export function readRecovery({ args, env }: ConfigSources): RecoveryInvocation {
  const values = readFlags(args);
  if (values.help) return { kind: 'help' };
  if (values.from !== undefined && values['without-copy'])
    throw new CodedError('bad-settings', 400, 'both --from and --without-copy are given');
  if (values.format !== undefined && !['table', 'json'].includes(values.format))
    throw new CodedError('bad-settings', 400, `--format: "${values.format}" is not one of table, json`);
  const own = ['state-dir', 'settings', 'backup-folder'] as const;
  const passed = own.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]));
  const invocation = readConfig({ args: passed, env });
  if (invocation.kind !== 'run') return { kind: 'help' };
  return {
    kind: 'recover',
    config: invocation.config,
    from: values.from ?? null,
    withoutCopy: values['without-copy'] ?? false,
    dryRun: values['dry-run'] ?? false,
    json: values.format === 'json',
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        from: { type: 'string' },
        'without-copy': { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        format: { type: 'string', short: 'f' },
        'state-dir': { type: 'string' },
        settings: { type: 'string' },
        'backup-folder': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new CodedError('bad-settings', 400, messageOf(error));
  }
}

/** The output of `portholed recover --help`. */
export const RECOVERY_HELP = [
  'Usage: portholed recover [--from FILE | --without-copy] [--dry-run] [-f table|json] [--state-dir DIR]',
  '',
  'Makes a new database from the newest good copy, when the database is lost or damaged. Instances, profiles and images',
  'that are newer than the copy come from the records in the state directory. Stop the daemon first. Instances may run:',
  'the next daemon finds them. The files of instances and images do not change. The old database stays beside the new',
  'one.',
  '',
  '  --from FILE          uses this copy, by its path or its name, also if the database is not damaged',
  '  --without-copy       uses only the records',
  '  --dry-run            says what it would do, and changes nothing',
  '  -f, --format FORMAT  table or json',
  '  --state-dir DIR, --settings FILE, --backup-folder DIR   as for the daemon',
].join('\n');
