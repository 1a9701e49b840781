const HOUR = 3_600_000;

/** Runs work while the clock of this process shows an hour less than before. */
export async function withClockSetBack<T>(work: () => Promise<T>): Promise<T> {
  const realNow = Date.now;
  Date.now = () => realNow() - HOUR;
  try {
    return await work();
  } finally {
    Date.now = realNow;
  }
}
