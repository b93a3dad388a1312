import { expect, it } from 'vitest';
import { SpareMemory } from './spare-memory.ts';

const MIB = 1024 * 1024;

function memoryOf(process: { used: number; spare: number }) {
  let times = 0;
  const memory = new SpareMemory({
    resident: () => (process.used + process.spare) * MIB,
    giveBack: async () => {
      times++;
      process.spare = 0;
    },
  });
  return { memory, times: () => times };
}

it('gives back what is spare after the process has grown, and rests then', async () => {
  const process = { used: 100, spare: 0 };
  const { memory, times } = memoryOf(process);
  await memory.look();
  expect(times()).toBe(0);
  process.spare = 80;
  await memory.look();
  await memory.look();
  expect([times(), process.spare]).toEqual([1, 0]);
  memory.stop();
});

it('tries once, not all the time, when what has grown is in use', async () => {
  const process = { used: 100, spare: 0 };
  const { memory, times } = memoryOf(process);
  process.used = 200;
  for (let each = 0; each < 5; each++) await memory.look();
  expect(times()).toBe(1);
  memory.stop();
});
