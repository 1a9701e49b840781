import type { Summary } from './send-rows.ts';

const BAR = 30;
const ON_TERMINAL_MS = 100;
const IN_LOG_MS = 5000;

/**
 * Shows the number of imported rows: as a bar on a terminal, as occasional lines elsewhere.
 * @param size bytes of the file
 */
export function showProgress(size: number) {
  const onTerminal = Boolean(process.stdout.isTTY);
  const startedAt = performance.now();
  let bytes = 0;
  let rows = 0;
  const text = () => {
    const share = size === 0 ? 1 : Math.min(1, bytes / size);
    const filled = Math.round(share * BAR);
    const seconds = (performance.now() - startedAt) / 1000;
    const figures = `${Math.round(share * 100)} %  ${rows} rows  ${Math.round(rows / seconds)} rows/s`;
    return onTerminal ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}  ${figures}` : figures;
  };
  const show = () => process.stdout.write(onTerminal ? `\r${text()}\x1b[K` : `${text()}\n`);
  const timer = setInterval(show, onTerminal ? ON_TERMINAL_MS : IN_LOG_MS);
  return {
    /**
     * @param summary the result so far
     * @param end bytes of the file up to there
     */
    settled({ created, updated, unchanged, failed }: Summary, end: number) {
      rows = created + updated + unchanged + failed;
      bytes = end;
    },
    end() {
      clearInterval(timer);
      show();
      if (onTerminal) process.stdout.write('\n');
    },
  };
}
