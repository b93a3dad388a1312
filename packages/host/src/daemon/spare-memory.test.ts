import { expect, it } from 'vitest';
import { SpareMemory } from './spare-memory.ts';

const MIB = 1024 * 1024;
const BUSY_MS = 5000;
const IDLE_MS = 100;

/** Memory in MiB: used, garbage, in empty pages, kept by the C library, and pages of the program. */
interface Sizes {
  used: number;
  garbage: number;
  empty: number;
  spare: number;
  program: number;
}

function startOf(process: Sizes) {
  const done: string[] = [];
  let processorMs = 0;
  const memory = new SpareMemory({
    resident: () => (process.used + process.garbage + process.empty + process.spare + process.program) * MIB,
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
    unmapProgram: () => {
      done.push('unmapped');
      process.program = 0;
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

/** The same after its start's garbage is gone. */
async function memoryOf(process: Sizes) {
  const started = startOf(process);
  for (let step = 0; step < 5; step++) await started.look(IDLE_MS);
  return started;
}

it('gives back what a start has left, as soon as the process is at rest', async () => {
  const process = { used: 100, garbage: 10, empty: 0, spare: 5, program: 45 };
  const { memory, look } = startOf(process);
  expect(await look(BUSY_MS)).toEqual([]);
  const steps: string[] = [];
  for (let each = 0; each < 6; each++) steps.push(...(await look(IDLE_MS)));
  expect(steps).toEqual(['collected', 'dropped', 'given back', 'unmapped']);
  expect(process).toEqual({ used: 100, garbage: 0, empty: 0, spare: 0, program: 0 });
  expect(await look(IDLE_MS)).toEqual([]);
  memory.stop();
});

it('does nothing in a process that does not grow', async () => {
  const { memory, look } = await memoryOf({ used: 100, garbage: 0, empty: 0, spare: 0, program: 0 });
  expect([await look(BUSY_MS), await look(IDLE_MS)]).toEqual([[], []]);
  memory.stop();
});

it('gives back the free memory of a busy process that has grown, and leaves its garbage', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0, program: 0 };
  const { memory, look } = await memoryOf(process);
  Object.assign(process, { garbage: 40, spare: 80 });
  expect(await look(BUSY_MS)).toEqual(['given back']);
  expect(process).toEqual({ used: 100, garbage: 40, empty: 0, spare: 0, program: 0 });
  memory.stop();
});

it('gives back memory that a flood has used when the flood is over, and then does nothing', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0, program: 0 };
  const { memory, look } = await memoryOf(process);
  process.used = 300;
  expect(await look(BUSY_MS)).toEqual(['given back']);
  Object.assign(process, { used: 100, garbage: 150, spare: 50 });
  expect(await look(BUSY_MS)).toEqual([]);
  const steps: string[] = [];
  for (let each = 0; each < 6; each++) steps.push(...(await look(IDLE_MS)));
  expect(steps).toEqual(['collected', 'dropped', 'given back', 'unmapped']);
  expect(process).toEqual({ used: 100, garbage: 0, empty: 0, spare: 0, program: 0 });
  for (let each = 0; each < 5; each++) expect(await look(IDLE_MS)).toEqual([]);
  memory.stop();
});

it('leaves the program in the memory of a busy process, and of one that uses a part of it again', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0, program: 45 };
  const { memory, look } = await memoryOf(process);
  for (let each = 1; each <= 5; each++) {
    process.program = 1.5 * each;
    expect(await look(each % 2 === 0 ? IDLE_MS : BUSY_MS)).toEqual([]);
  }
  process.program = 45;
  expect(await look(BUSY_MS)).toEqual(['given back']);
  expect(await look(BUSY_MS)).toEqual([]);
  const rest: string[] = [];
  for (let each = 0; each < 7; each++) rest.push(...(await look(IDLE_MS)));
  expect(rest).toEqual(['collected', 'dropped', 'given back', 'unmapped']);
  memory.stop();
});

it('gives back what some work has used as soon as the process is at rest again, and leaves less', async () => {
  const process = { used: 40, garbage: 0, empty: 0, spare: 0, program: 45 };
  const { memory, look } = await memoryOf(process);
  Object.assign(process, { garbage: 2, program: 5 });
  expect([await look(BUSY_MS), await look(IDLE_MS)]).toEqual([[], []]);
  Object.assign(process, { garbage: 3, program: 6 });
  expect([await look(BUSY_MS), await look(IDLE_MS)]).toEqual([[], ['collected']]);
  memory.stop();
});

it('does nothing again because of the pages that the timers of a process at rest use', async () => {
  const process = { used: 40, garbage: 0, empty: 0, spare: 0, program: 45 };
  const { memory, look } = startOf(process);
  for (let step = 0; step < 4; step++) await look(IDLE_MS);
  process.program = 12;
  for (let each = 0; each < 5; each++) expect(await look(IDLE_MS)).toEqual([]);
  memory.stop();
});

it('tries only once when a process has grown, uses the memory and is always busy', async () => {
  const process = { used: 100, garbage: 0, empty: 0, spare: 0, program: 0 };
  const { memory, look } = await memoryOf(process);
  process.used = 200;
  const all: string[] = [];
  for (let each = 0; each < 5; each++) all.push(...(await look(BUSY_MS)));
  expect(all).toEqual(['given back']);
  memory.stop();
});

it('goes on after a failed step, which ends neither the process nor later tries', async () => {
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
    unmapProgram: () => {},
    giveBack: async () => void given.push(resident),
  });
  resident += 50 * MIB;
  await memory.look();
  expect(given).toEqual([]);
  for (let step = 0; step < 2; step++) await memory.look();
  expect(given).toEqual([150 * MIB]);
  memory.stop();
});
