import { spawn } from 'node:child_process';

/** How many lines of a failed command's output are repeated. */
const TAIL_LINES = 5;

/**
 * Runs a command and returns its output instead of printing it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ ok: boolean, output: string }>} `output` is standard output and error as they came;
 *   for a command that could not be started, the reason
 */
export function quietly(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/**
 * The end of a command's output on one line.
 * @param {string} output
 */
export function tailOf(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).slice(-TAIL_LINES).join('; ');
}

/** Signals that are passed on to the program, so that it can end cleanly. */
const PASSED_ON = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Exit codes of shells for a program that a signal ended: 128 and the signal's number. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 };

/** npm passes on a Ctrl-C that the terminal has sent to all already: two signals within this time are one. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs the program on this process's terminal, passes signals on to it, and waits for its end. At Ctrl-C the
 * terminal also signals the program directly, so it may get SIGINT twice.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: Record<string, string | undefined> }} options
 * @returns {Promise<number>} its exit code; 128 and the signal's number when a signal ended it
 */
export function handOver(command, args, options) {
  return new Promise((resolve, reject) => {
    const passedAt = new Map();
    const passOn = (signal) => {
      if (performance.now() - (passedAt.get(signal) ?? -SAME_SIGNAL_MS) < SAME_SIGNAL_MS) return;
      passedAt.set(signal, performance.now());
      child.kill(signal);
    };
    // Before `spawn`, because the program may already be at work when that returns.
    for (const signal of PASSED_ON) process.on(signal, passOn);
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const each of PASSED_ON) process.off(each, passOn);
      resolve(code ?? SIGNAL_CODES[signal] ?? 1);
    });
  });
}
