// Loaded into a daemon whose memory is measured: at SIGUSR2 it drops its garbage, and says what it uses without. Twice,
// because what waits to be finalized goes with the second time only.
const collect = globalThis.gc;
process.on('SIGUSR2', () => {
  collect?.();
  setImmediate(() => {
    collect?.();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`garbage collected: ${heapUsed + external} bytes used\n`);
  });
});
