import type { GuestView } from '../core/view.ts';
import type { Callers } from '../peer/callers.ts';
import type { HeldInit, Registry } from '../peer/registry.ts';
import type { Lane } from './lane.ts';

/** Registers and unregisters runs in the registry, and in the lane if there is one. */
export interface RunRegister {
  register(instanceId: number, init: HeldInit): number;
  unregister(instanceId: number): void;
}

/**
 * Keeps the lane's runs the same as the registry's. The lane forgets a run first. Only then the registry lets
 * go of the handle on its init, which keeps the namespace's number from meaning another namespace.
 */
export function registerRuns(
  registry: Registry,
  callers: Callers,
  lane: Lane | undefined,
  viewOf: (instanceId: number) => GuestView | undefined,
): RunRegister {
  return {
    register(instanceId, init) {
      lane?.over(instanceId);
      const runNumber = registry.register(instanceId, init);
      const facts = registry.runOf(instanceId);
      if (facts === null) return runNumber;
      lane?.began(facts, viewOf(instanceId));
      callers.began(facts.namespace);
      return runNumber;
    },
    unregister(instanceId) {
      lane?.over(instanceId);
      registry.unregister(instanceId);
    },
  };
}

/** Notifies both whether another program starts instances: callers may connect before the daemon knows of a start. */
export function tellPatience(callers: Callers, lane: Lane | undefined): (on: boolean) => void {
  return (on) => {
    callers.patient(on);
    lane?.patient(on);
  };
}

/** Notifies both whether instances are being started: callers may connect before they are registered. */
export function tellStarts(callers: Callers, lane: Lane | undefined): (on: boolean) => void {
  return (on) => {
    callers.starting(on);
    lane?.starting(on);
  };
}
