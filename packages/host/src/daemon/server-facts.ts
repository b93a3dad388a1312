import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { ownVersion } from '../base/version.ts';
import type { Settings } from '../config/settings.ts';
import type { ServerFacts } from '../host/backend.ts';
import { hostArchitecture } from '../images/architectures.ts';
import { hostBridges } from './bridges.ts';

/** Facts about the daemon and its host. */
export function serverFacts(parts: {
  readonly stateDir: string;
  readonly settings: Settings;
  readonly runtime: { readonly driver: string; driverVersion(): Promise<string> };
  readonly kernel: { readonly name: string };
  readonly fastLane: () => string;
  readonly lxcfs: ServerFacts['lxcfs'];
  readonly machines: ServerFacts['machines'];
}): ServerFacts {
  const os = osRelease();
  return {
    version: ownVersion(),
    name: parts.settings['server-name'],
    pid: process.pid,
    stateDir: parts.stateDir,
    driver: parts.runtime.driver,
    driverVersion: () => parts.runtime.driverVersion(),
    architecture: hostArchitecture(),
    kernelVersion: release(),
    osName: os.get('NAME') ?? 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    identification: parts.kernel.name,
    bridges: hostBridges,
    fastLane: parts.fastLane,
    lxcfs: parts.lxcfs,
    machines: parts.machines,
  };
}

/** os-release(5). */
function osRelease(): Map<string, string> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
    return new Map(
      lines
        .map((line) => line.split('=', 2))
        .map(([key = '', value = '']) => [key, value.replaceAll('"', '')]),
    );
  } catch {
    return new Map();
  }
}
