/** A failure that the user can fix: its message is one line that says how. */
export class SetupError extends Error {}

/**
 * Prints progress. It goes to standard error, so that standard output belongs to the program.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * Runs the setup of an npm script. A SetupError becomes its one line and exit code 1.
 * @param {() => Promise<number>} main gives the exit code
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
