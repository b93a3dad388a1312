import { expect, it } from 'vitest';
import { run } from '../process/run.ts';

const WATCH = new URL('./exit-watch.ts', import.meta.url).href;
const PINNED = new URL('./pinned-process.ts', import.meta.url).href;
const TIMEOUT_MS = 20_000;

it.each([
  ['a defect', "throw new Error('a defect');", 1],
  ['an exit', 'process.exit(3);', 3],
])('does not keep a process alive after %s', async (_, last, code) => {
  const program = `
    import { spawn } from 'node:child_process';
    import { ExitWatch } from '${WATCH}';
    import { PinnedProcess } from '${PINNED}';
    const watch = new ExitWatch();
    const child = spawn('sleep', ['60']);
    // Its thread has waited once, and does so again.
    const pinned = PinnedProcess.find(child.pid);
    child.kill();
    await watch.exited(pinned);
    ${last}`;
  const args = ['--eval', program];
  expect(await run(process.execPath, args, { timeoutMs: TIMEOUT_MS })).toMatchObject({ code, signal: null });
});

it('has no thread before its first watch, and can be stopped without one', async () => {
  const program = `
    import { ExitWatch } from '${WATCH}';
    process.on('worker', () => process.exit(1));
    const watch = new ExitWatch();
    setImmediate(() => void watch.stop().then(() => process.exit(7)));`;
  const result = await run(process.execPath, ['--eval', program], { timeoutMs: TIMEOUT_MS });
  expect(result).toMatchObject({ code: 7, signal: null });
});
