import { parsedJson } from '../../base/parsed-json.ts';
import { isYamlMap } from '../../base/yaml-map.ts';
import { run } from '../../process/run.ts';
import { objectOf } from '../records/texts.ts';

/** A machine, as systemd-machined knows it; org.freedesktop.machine1(5). */
export interface Machine {
  /** Pid of its first process, on the host. */
  readonly leader: number;
  /** When it was registered, in microseconds of CLOCK_MONOTONIC. */
  readonly registeredUs: bigint;
  /** Whether systemd-nspawn runs it, as a container. */
  readonly isOfNspawn: boolean;
}

const BUS = 'org.freedesktop.machine1';
const ROOT = '/org/freedesktop/machine1/machine/';

/** machined answers in milliseconds. Callers in the machine wait for the answer. */
const ANSWER_MS_MAX = 3_000;

/** Asks machined for a machine. @throws Error if it does not answer or does not know the machine */
export async function askMachined(name: string): Promise<Machine> {
  const words = ['org.freedesktop.DBus.Properties', 'GetAll', 's', `${BUS}.Machine`];
  const asked = await run('busctl', ['--json=short', 'call', BUS, pathOf(name), ...words], {
    timeoutMs: ANSWER_MS_MAX,
    cwd: '/',
  });
  if (!asked.ok) throw new Error(asked.failure);
  const machine = machineIn(asked.stdout);
  if (machine === null) throw new Error('busctl has printed something unexpected');
  return machine;
}

/** Reads the properties of a machine as busctl(1) prints them; null if one is missing. */
export function machineIn(text: string): Machine | null {
  const { data } = (parsedJson(text) as { data?: unknown }) ?? {};
  const properties = Array.isArray(data) ? (data[0] as unknown) : undefined;
  if (!isYamlMap(properties)) return null;
  const property = (name: string) => objectOf(properties, name)['data'];
  const [leader, registered] = [property('Leader'), property('TimestampMonotonic')];
  if (!Number.isSafeInteger(leader) || !Number.isSafeInteger(registered)) return null;
  return {
    leader: leader as number,
    registeredUs: BigInt(registered as number),
    isOfNspawn: property('Class') === 'container' && property('Service') === 'systemd-nspawn',
  };
}

/** The path of a machine's object. A leading digit, and all but letters and digits, are written as `_` and hex. */
function pathOf(name: string): string {
  const escaped = (character: string) => `_${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return ROOT + name.replace(/[^A-Za-z0-9]|^\d/g, escaped);
}
