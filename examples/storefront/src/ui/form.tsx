import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/index.ts';
import { failureText, fieldProblem, referenceOf } from '../lib/failure-text.ts';

interface FormProps {
  /** Rejects with what the fields and the form then show. */
  onSubmit: (values: Record<string, string>) => Promise<void>;
  submit: ComponentChildren;
  /** Next to the button. */
  actions?: ComponentChildren;
  isDangerous?: boolean;
  children: ComponentChildren;
}

const Failure = createContext<unknown>(undefined);

/** A form that sends its fields by their names, once at a time, and shows what the shop refuses. */
export function Form({ onSubmit, submit, actions, isDangerous = false, children }: FormProps) {
  const [failure, setFailure] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (failure === undefined) return;
    const first = form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]');
    first?.focus();
  }, [failure]);

  async function send(event: SubmitEvent) {
    event.preventDefault();
    if (isBusy || form.current === null) return;
    const values = Object.fromEntries(
      Array.from(new FormData(form.current)).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
    setBusy(true);
    setFailure(undefined);
    try {
      await onSubmit(values);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form ref={form} class="form" onSubmit={send} noValidate>
      <Failure.Provider value={failure}>
        {failure !== undefined && <FormFailure failure={failure} />}
        {children}
      </Failure.Provider>
      <div class="form__actions">
        <button
          type="submit"
          class={isDangerous ? 'button button--danger' : 'button button--primary'}
          aria-disabled={isBusy}
        >
          {isBusy && <span class="spinner" />}
          {submit}
        </button>
        {actions}
      </div>
    </form>
  );
}

function FormFailure({ failure }: { failure: unknown }) {
  const reference = referenceOf(failure);
  return (
    <div class="notice notice--bad" role="alert" tabIndex={-1}>
      {failureText(failure)}{' '}
      {reference && <span class="small">{texts.value.failures.reference(reference)}</span>}
    </div>
  );
}

/** What is wrong with this field of the form around it. */
export const useFieldProblem = (name: string) => fieldProblem(useContext(Failure), name);
