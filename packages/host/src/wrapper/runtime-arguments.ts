/** The parts of an OCI runtime's command line that the wrapper uses. */
interface RuntimeArguments {
  /** Undefined means the current folder. */
  readonly bundle: string | undefined;
  /** The file in which the caller reads errors, as lines of JSON; undefined if it reads standard error. */
  readonly log: string | undefined;
}

/** Reads the command line of `create` or `run`. */
export function readArguments(args: readonly string[]): RuntimeArguments {
  const isJson = optionOf(args, ['--log-format', '-log-format']) === 'json';
  return {
    bundle: optionOf(args, ['--bundle', '-bundle', '-b']),
    log: isJson ? optionOf(args, ['--log', '-log']) : undefined,
  };
}

/** The value of an option, `--name value` or `--name=value`; of repeated ones the last, as runtimes take it. */
function optionOf(args: readonly string[], names: readonly string[]): string | undefined {
  let value: string | undefined;
  for (const [index, word] of args.entries()) {
    if (names.includes(word)) value = args[index + 1] ?? value;
    const name = names.find((each) => word.startsWith(`${each}=`));
    if (name !== undefined) value = word.slice(name.length + 1);
  }
  return value;
}
