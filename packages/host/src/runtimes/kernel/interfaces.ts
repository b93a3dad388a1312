import { fileURLToPath } from 'node:url';
import { compileCacheVariables } from '../../base/compile-cache.ts';
import type { KernelAddress } from '../../native/interfaces.ts';
import type { NamedInterface } from '../../native/interfaces-child.ts';
import { Helper } from '../../process/helper.ts';
import type { NetworkInterface } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';

const PROGRAM = fileURLToPath(new URL('../../native/interfaces-child.ts', import.meta.url));

const ANSWER_MS = 5_000;
/**
 * A guest can keep the kernel's lock of all networks for as long as it likes. Then every question hangs, and a list of
 * instances asks one for each.
 */
const WAIT_MS = 8_000;
/** The helper ends after this time without a question. Clients often ask about several instances, or ask again. */
const IDLE_MS = 10_000;

/** Reads the network interfaces of instances, with one helper program for all of them. */
export class Interfaces {
  readonly #helper = new Helper({
    command: process.execPath,
    args: [PROGRAM],
    env: compileCacheVariables(),
    answerMs: ANSWER_MS,
    waitMs: WAIT_MS,
    idleMs: IDLE_MS,
  });

  /**
   * The interfaces in the network namespace of an init, by name. Empty if the init has ended or they cannot be read.
   */
  async of(init: Init): Promise<Record<string, NetworkInterface>> {
    const question = String(init.pid);
    const answer = (await this.#helper.ask(question)) ?? '';
    const json = answer.startsWith(`${question} `) ? answer.slice(question.length + 1) : '';
    // The helper gets a pid. Its answer belongs to this init only if the init is still alive.
    if (json === '' || !init.isAlive()) return {};
    const interfaces = JSON.parse(json) as readonly NamedInterface[];
    return Object.fromEntries(interfaces.map((each) => [each.name, networkInterface(each)]));
  }

  stop(): void {
    this.#helper.stop();
  }
}

function networkInterface(each: NamedInterface): NetworkInterface {
  return {
    type: each.isLoopback ? 'loopback' : 'broadcast',
    state: each.isUp ? 'up' : 'down',
    mtu: each.mtu,
    hwaddr: each.isLoopback ? '' : each.hardwareAddress,
    hostName: each.hostName,
    addresses: each.addresses.map(address),
    counters: each.counters,
  };
}

function address({ family, address, prefixLength, scope }: KernelAddress) {
  return { family, address, netmask: String(prefixLength), scope: scope === 'host' ? 'local' : scope };
}
