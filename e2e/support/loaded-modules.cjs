// Prints, when the process ends, how many modules it has loaded of what traces need.
process.on('exit', () => {
  const loaded = Object.keys(require.cache).filter((file) => file.includes('/@opentelemetry/sdk-trace/'));
  process.stdout.write(`tracing modules: ${loaded.length}\n`);
});
