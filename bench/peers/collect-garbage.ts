// Loaded into a daemon whose memory is measured: at SIGUSR2 it drops its garbage, and says so. Twice, because
// what waits to be finalized goes with the second time only.
const collect = globalThis.gc;
process.on('SIGUSR2', () => {
  collect?.();
  setImmediate(() => {
    collect?.();
    process.stderr.write('garbage collected\n');
  });
});
