const BAR = 30;
const ON_TERMINAL_MS = 100;
const IN_LOG_MS = 5000;

/**
 * Shows how much of a file was taken: a bar on a terminal, a line now and then elsewhere.
 * @param {number} size bytes of the file
 */
export function showProgress(size) {
  const onTerminal = Boolean(process.stdout.isTTY);
  const startedAt = performance.now();
  let bytes = 0;
  let lines = 0;
  const text = () => {
    const share = size === 0 ? 1 : bytes / size;
    const filled = Math.round(share * BAR);
    const seconds = (performance.now() - startedAt) / 1000;
    const figures = `${Math.round(share * 100)} %  ${megabytes(bytes)} of ${megabytes(size)} MB  ${Math.round(lines / seconds)} lines/s`;
    return onTerminal ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}  ${figures}` : figures;
  };
  const show = () => process.stdout.write(onTerminal ? `\r${text()}\x1b[K` : `${text()}\n`);
  const timer = setInterval(show, onTerminal ? ON_TERMINAL_MS : IN_LOG_MS);
  return {
    /** @param {Buffer} chunk */
    sent(chunk) {
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
    },
    end() {
      clearInterval(timer);
      show();
      if (onTerminal) process.stdout.write('\n');
    },
  };
}

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
