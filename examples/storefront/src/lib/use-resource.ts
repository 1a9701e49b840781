import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Resource<T> {
  /** Undefined until it came for the first time. While another key loads, it is still that of the key before; not once that has failed. */
  data: T | undefined;
  failure: unknown;
  isLoading: boolean;
  reload: () => void;
  /** Shows the result of a change without another request. */
  replace: (data: T) => void;
}

interface State<T> {
  data: T | undefined;
  failure: unknown;
  isLoading: boolean;
}

/** What was shown lately, so that going back shows it at once; it is read again all the same. */
const seen = new Map<string, unknown>();
const KEPT = 40;

/**
 * What `load` returns for this key. A change of the key aborts what was under way; null loads nothing.
 * @param key names what is loaded, its arguments included
 */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<State<T>>(() => ({
    data: key === null ? undefined : (seen.get(key) as T | undefined),
    failure: undefined,
    isLoading: key !== null,
  }));
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const current = useRef(key);
  current.current = key;

  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    setState((before) => ({
      data: (seen.get(key) as T | undefined) ?? before.data,
      failure: undefined,
      isLoading: true,
    }));
    latest.current(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        remember(key, data);
        setState({ data, failure: undefined, isLoading: false });
      },
      (failure: unknown) => {
        if (!controller.signal.aborted)
          setState({ data: seen.get(key) as T | undefined, failure, isLoading: false });
      },
    );
    return () => controller.abort();
  }, [key, attempt]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  const replace = useCallback(
    (data: T) => {
      if (key !== null) remember(key, data);
      // It may have been under way while another key was asked for.
      if (key === current.current) setState({ data, failure: undefined, isLoading: false });
    },
    [key],
  );
  return { ...state, reload, replace };
}

function remember(key: string, data: unknown): void {
  seen.delete(key);
  seen.set(key, data);
  const [oldest] = seen.keys();
  if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest);
}

/** Nothing of one user may be shown to the next. */
export const forgetAll = () => seen.clear();
