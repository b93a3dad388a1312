import type { InstanceJson } from '../wire/instance.ts';
import { STATUS_CODES } from '../wire/status.ts';
import { isStopped } from './instance-status.ts';
import { UsageError } from './usage-error.ts';

/** What can be waited for. */
export interface Condition {
  holds(instance: InstanceJson): boolean;
  /** What the instance is instead, after its name. */
  instead(instance: InstanceJson): string;
  /** Whether an ephemeral instance, which is deleted as soon as it stops, fulfils it by that. */
  readonly byDeletion: boolean;
}

const isReady = ({ status_code }: InstanceJson) => status_code === STATUS_CODES.Ready;
const isRunning = (instance: InstanceJson) =>
  isReady(instance) || instance.status_code === STATUS_CODES.Running;
const not = (what: string) => (instance: InstanceJson) =>
  `is not ${what}: it is ${instance.status.toUpperCase()}`;

const STATES: Readonly<Record<string, Condition>> = {
  ready: { holds: isReady, instead: not('ready'), byDeletion: false },
  running: { holds: isRunning, instead: not('running'), byDeletion: false },
  stopped: { holds: isStopped, instead: not('stopped'), byDeletion: true },
};

/** Reads the value of `--for`. @throws UsageError */
export function parseCondition(text: string): Condition {
  const state = Object.hasOwn(STATES, text) ? STATES[text] : undefined;
  if (state) return state;
  const at = text.indexOf('=');
  if (at <= 0)
    throw new UsageError(
      `"${text}" cannot be waited for: --for takes ${Object.keys(STATES).join(', ')} or key=value`,
    );
  return keyCondition(text.slice(0, at), text.slice(at + 1));
}

/** The value that the instance has in effect, its own or that of a profile. An empty one: the key is not set. */
function keyCondition(key: string, wanted: string): Condition {
  const inEffect = ({ expanded_config }: InstanceJson) => expanded_config[key] ?? '';
  return {
    holds: (instance) => inEffect(instance) === wanted,
    instead: (instance) =>
      inEffect(instance) === '' ? `has no ${key}` : `has another ${key}: ${inEffect(instance)}`,
    byDeletion: false,
  };
}
