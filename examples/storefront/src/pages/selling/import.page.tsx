import type { ImportResult } from '@shop/client';
import { useRef, useState } from 'preact/hooks';
import { texts } from '../../i18n/index.ts';
import { count } from '../../lib/format.ts';
import { saveFile } from '../../lib/save-file.ts';
import { uploaded } from '../../lib/upload.ts';
import { shop } from '../../shop.ts';
import { Checkbox } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Notice, TableBox } from '../../ui/states.tsx';
import { sayFailure } from '../../ui/toast.tsx';
import { SellingPage } from './layout.tsx';

export default function ImportPage() {
  const { selling } = texts.value;
  return (
    <SellingPage title={selling.import}>
      {() => (
        <div class="two-columns two-columns--even">
          <Import />
          <Export />
        </div>
      )}
    </SellingPage>
  );
}

interface Outcome {
  result: ImportResult;
  isDryRun: boolean;
}

function Import() {
  const { selling } = texts.value;
  const input = useRef<HTMLInputElement>(null);
  const [isWorking, setWorking] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  async function send(values: Record<string, string>) {
    const file = input.current?.files?.[0];
    if (!file) {
      input.current?.focus();
      return;
    }
    const isDryRun = values['dry_run'] === 'true';
    setWorking(true);
    setOutcome(undefined);
    try {
      const result = await shop.products.import(file, {
        type: /\.(ndjson|jsonl)$/i.test(file.name) ? 'application/x-ndjson' : 'text/csv',
        dry_run: isDryRun || undefined,
        stock: values['stock'] === 'true' ? 'set' : undefined,
      });
      setOutcome({ result, isDryRun });
    } finally {
      setWorking(false);
    }
  }
  return (
    <section class="panel stack">
      <Form submit={selling.start} onSubmit={send}>
        <div class="field">
          <label for="file">{selling.file}</label>
          <input
            ref={input}
            id="file"
            type="file"
            accept=".csv,.tsv,.txt,.ndjson,.jsonl"
            aria-describedby="file-hint"
            required
          />
          <p id="file-hint" class="field__hint">
            {selling.fileHint}
          </p>
        </div>
        <div>
          <Checkbox name="dry_run" label={selling.dryRun} />
          <Checkbox name="stock" label={selling.setStock} />
        </div>
      </Form>
      <div role="status">
        {isWorking && <Progress />}
        {outcome && <Result {...outcome} />}
      </div>
    </section>
  );
}

/** How much of the file the shop has; then it writes the last rows. */
function Progress() {
  const { selling } = texts.value;
  const share = uploaded.value ?? 0;
  const percent = Math.floor(share * 100);
  return (
    <label class="stack">
      {share < 1 ? selling.sending(percent) : selling.working}
      <progress {...(share < 1 && { value: percent, max: 100 })} />
    </label>
  );
}

const COUNTS = ['created', 'updated', 'unchanged', 'failed', 'stock_kept'] as const;

function Result({ result, isDryRun }: Outcome) {
  const { selling } = texts.value;
  return (
    <div class="stack">
      <h2>{selling.result}</h2>
      <Notice kind={result.failed > 0 ? 'warn' : 'good'}>
        {isDryRun && <p>{selling.wouldBe}</p>}
        <ul class="toolbar number">
          {COUNTS.filter((name) => result[name] > 0).map((name) => (
            <li key={name}>
              <strong>{count(result[name])}</strong> {selling.counts[name]}
            </li>
          ))}
        </ul>
      </Notice>
      {result.errors.length > 0 && (
        <TableBox label={selling.rowErrors}>
          <thead>
            <tr>
              <th scope="col" class="number">
                {selling.line}
              </th>
              <th scope="col">{selling.problem}</th>
            </tr>
          </thead>
          <tbody>
            {result.errors.map(({ line, message }) => (
              <tr key={line}>
                <td class="number">{count(line)}</td>
                <td>{message}</td>
              </tr>
            ))}
          </tbody>
        </TableBox>
      )}
    </div>
  );
}

function Export() {
  const { selling } = texts.value;
  const [isBusy, setBusy] = useState(false);
  async function save(format: 'csv' | 'ndjson') {
    setBusy(true);
    try {
      const response = await shop.products.export({ format });
      saveFile(await response.blob(), `products.${format}`);
    } catch (error) {
      sayFailure(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <section class="panel">
      <h2>{selling.export}</h2>
      <p class="muted">{selling.exportText}</p>
      <p class="toolbar">
        {(['csv', 'ndjson'] as const).map((format) => (
          <button
            key={format}
            type="button"
            class="button"
            disabled={isBusy}
            onClick={() => void save(format)}
          >
            <Icon name="file" size={18} /> {format.toUpperCase()}
          </button>
        ))}
      </p>
    </section>
  );
}
