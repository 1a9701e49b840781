import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { texts } from '../i18n/index.ts';
import { useFieldProblem } from './form.tsx';

interface LabelledProps {
  name: string;
  label: string;
  hint?: string | undefined;
  isOptional?: boolean;
  /** Gets what the control needs to be described. */
  children: (control: {
    id: string;
    name: string;
    'aria-describedby'?: string;
    'aria-invalid'?: true;
  }) => ComponentChildren;
}

function Labelled({ name, label, hint, isOptional = false, children }: LabelledProps) {
  const id = useId();
  const problem = useFieldProblem(name);
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>
        {label} {isOptional && <span class="muted small">({texts.value.shop.optional})</span>}
      </label>
      {children({
        id,
        name,
        ...(described && { 'aria-describedby': described }),
        ...(problem && { 'aria-invalid': true as const }),
      })}
      {hint && (
        <p id={`${id}-hint`} class="field__hint">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} class="field__problem">
          {problem}
        </p>
      )}
    </div>
  );
}

interface FieldProps extends Omit<LabelledProps, 'children'> {
  defaultValue?: string;
  autoComplete?: string;
  autoCapitalize?: 'none';
  inputMode?: 'decimal' | 'numeric';
  required?: boolean;
  maxLength?: number;
  onInput?: (event: InputEvent & { currentTarget: HTMLInputElement }) => void;
}

export function Field({
  name,
  label,
  hint,
  isOptional = false,
  type = 'text',
  ...input
}: FieldProps & { type?: 'text' | 'email' | 'tel' }) {
  return (
    <Labelled name={name} label={label} hint={hint} isOptional={isOptional}>
      {(control) => {
        const all = { ...input, ...control };
        if (type === 'email') return <input {...all} type="email" />;
        return type === 'tel' ? <input {...all} type="tel" /> : <input {...all} type="text" />;
      }}
    </Labelled>
  );
}

/** Its text can be shown, because a password that cannot be read is often typed wrong. */
export function PasswordField({ name, label, hint, ...input }: FieldProps) {
  const [isShown, setShown] = useState(false);
  const { shop } = texts.value;
  return (
    <Labelled name={name} label={label} hint={hint}>
      {(control) => (
        <div class="field__group">
          {isShown ? (
            <input {...input} {...control} type="text" />
          ) : (
            <input {...input} {...control} type="password" />
          )}
          <button
            type="button"
            class="link-button small"
            aria-pressed={isShown}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? shop.hidePassword : shop.showPassword}
          </button>
        </div>
      )}
    </Labelled>
  );
}

export function TextArea({
  name,
  label,
  hint,
  isOptional = false,
  value = '',
  rows = 4,
}: Omit<LabelledProps, 'children'> & { value?: string; rows?: number }) {
  return (
    <Labelled name={name} label={label} hint={hint} isOptional={isOptional}>
      {(control) => <textarea {...control} rows={rows} defaultValue={value} />}
    </Labelled>
  );
}

export function Select({
  name,
  label,
  hint,
  options,
  value = '',
  onChange,
  autoComplete,
}: Omit<LabelledProps, 'children'> & {
  options: [value: string, label: string][];
  value?: string;
  onChange?: (value: string) => void;
  autoComplete?: string;
}) {
  return (
    <Labelled name={name} label={label} hint={hint}>
      {(control) => (
        <select
          {...control}
          {...(autoComplete && { autoComplete })}
          onChange={(event) => onChange?.(event.currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option} selected={option === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

export function Checkbox({
  name,
  label,
  isChecked = false,
  onChange,
}: {
  name: string;
  label: string;
  isChecked?: boolean;
  onChange?: (isChecked: boolean) => void;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        value="true"
        checked={isChecked}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
