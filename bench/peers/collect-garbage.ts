// Loaded into a daemon whose memory is measured. At SIGUSR2 the daemon collects its garbage and prints how
// many bytes it still uses. It collects twice: objects that wait to be finalized go only with the second
// collection.
const collect = globalThis.gc;
process.on('SIGUSR2', () => {
  collect?.();
  setImmediate(() => {
    collect?.();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`garbage collected: ${heapUsed + external} bytes used\n`);
  });
});
