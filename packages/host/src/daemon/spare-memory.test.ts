import { expect, it } from 'vitest';
import { SpareMemory } from './spare-memory.ts';

const MIB = 1024 * 1024;
const BUSY_MS = 5000;
const IDLE_MS = 100;

/** A process: what it uses, what is garbage, in empty pages, and kept by the C library, in MiB. */
function memoryOf(process: { used: number; garbage: number; empty: number; spare: number }) {
  const done: string[] = [];
  let processorMs = 0;
  const memory = new SpareMemory({
    resident: () => (process.used + process.garbage + process.empty + process.spare) * MIB,
    processorMs: () => processorMs,
    collect: async () => {
      done.push('collected');
      process.empty += process.garbage;
      process.garbage = 0;
    },
    dropPages: () => {
      done.push('dropped');
      process.empty = 0;
    },
    giveBack: async () => {
      done.push('given back');
      process.spare = 0;
    },
  });
  const look = async (workedMs: number) => {
    processorMs += workedMs;
    done.length = 0;
    await memory.look();
    return [...done];
  };
  return { memory, look };
}

it('does nothing in a process that does not grow', async () => {
  const { memory, look } = memoryOf({ used: 100, garbage: 0, empty: 0, spare: 0 });
  expect([await look(BUSY_MS), await look(IDLE_MS)]).toEqual([[], []]);
  memory.stop();
});

it('gives back what is spare in a busy process that has grown, and leaves its garbage', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0 };
  const { memory, look } = memoryOf(process);
  Object.assign(process, { garbage: 40, spare: 80 });
  expect(await look(BUSY_MS)).toEqual(['given back']);
  expect(process).toEqual({ used: 100, garbage: 40, empty: 0, spare: 0 });
  memory.stop();
});

it('gives back what was in use during a flood when that is over, and rests then', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0 };
  const { memory, look } = memoryOf(process);
  process.used = 300;
  expect(await look(BUSY_MS)).toEqual(['given back']);
  Object.assign(process, { used: 100, garbage: 150, spare: 50 });
  expect(await look(BUSY_MS)).toEqual([]);
  expect(await look(IDLE_MS)).toEqual(['collected', 'given back']);
  expect(await look(IDLE_MS)).toEqual(['dropped', 'given back']);
  expect(process).toEqual({ used: 100, garbage: 0, empty: 0, spare: 0 });
  for (let each = 0; each < 5; each++) expect(await look(IDLE_MS)).toEqual([]);
  memory.stop();
});

it('tries once, not all the time, when what has grown is in use in a process that is always busy', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0 };
  const { memory, look } = memoryOf(process);
  process.used = 200;
  const all: string[] = [];
  for (let each = 0; each < 5; each++) all.push(...(await look(BUSY_MS)));
  expect(all).toEqual(['given back']);
  memory.stop();
});

it('goes on after what failed, which ends neither the process nor later tries', async () => {
  let failures = 1;
  let resident = 100 * MIB;
  const given: number[] = [];
  const memory = new SpareMemory({
    resident: () => resident,
    processorMs: () => 0,
    collect: async () => {
      if (failures-- > 0) throw new Error('no memory for that');
    },
    dropPages: () => {},
    giveBack: async () => void given.push(resident),
  });
  resident += 50 * MIB;
  await memory.look();
  expect(given).toEqual([]);
  await memory.look();
  expect(given).toEqual([150 * MIB]);
  memory.stop();
});
