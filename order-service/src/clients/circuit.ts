/** The circuit is open: the call was not attempted. */
export class CircuitOpen extends Error {}

export interface CircuitOptions {
  /** So many consecutive failures open the circuit. */
  failuresToOpen: number;
  /** Milliseconds after which an open circuit lets one call through, by the monotonic clock; a success closes it. */
  pause: number;
  /** Errors that count. Others say nothing about the service. */
  isFailure: (error: unknown) => boolean;
}

/** Spares a service that keeps failing, and its callers the time to find that out again. */
export function createCircuit({ failuresToOpen, pause, isFailure }: CircuitOptions) {
  let failures = 0;
  let pausedUntil = 0;
  const isOpen = () => failures >= failuresToOpen;
  const isPaused = () => isOpen() && performance.now() < pausedUntil;
  const beginPause = () => {
    pausedUntil = performance.now() + pause;
  };

  return {
    isOpen,
    /** Whether calls fail without being attempted. */
    isPaused,
    /** @throws CircuitOpen without a call, or the error of the call */
    async run<T>(call: () => Promise<T>): Promise<T> {
      if (isPaused()) throw new CircuitOpen();
      // Only this call is let through.
      if (isOpen()) beginPause();
      try {
        const result = await call();
        failures = 0;
        return result;
      } catch (error) {
        if (isFailure(error)) {
          failures += 1;
          if (isOpen()) beginPause();
        }
        throw error;
      }
    },
  };
}
