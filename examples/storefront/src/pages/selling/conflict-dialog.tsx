import type { Product } from '@shop/client';
import { texts } from '../../i18n/index.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { type changesOf, EDITABLE, type Editable } from './product-fields.tsx';

interface ConflictProps {
  mine: ReturnType<typeof changesOf>;
  theirs: Product;
  onKeep: () => void;
  onTake: () => void;
  onClose: () => void;
}

/** Shows both versions of each field that differs. */
export function ConflictDialog({ mine, theirs, onKeep, onTake, onClose }: ConflictProps) {
  const { selling } = texts.value;
  const labels: Record<Editable, string> = {
    name: selling.name,
    price: selling.price,
    category: selling.category,
    sku: selling.sku,
    image_url: selling.image,
    description: selling.description,
  };
  const differing = EDITABLE.filter((name) => (mine[name] ?? '') !== (theirs[name] ?? ''));
  return (
    <Dialog
      title={selling.conflict}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="button button--primary" onClick={onTake}>
            {selling.takeTheirs}
          </button>
          <button type="button" class="button" onClick={onKeep}>
            {selling.keepMine}
          </button>
        </>
      }
    >
      <p>{selling.conflictText}</p>
      <dl class="stack">
        {differing.map((name) => (
          <div key={name}>
            <dt>
              <strong>{labels[name]}</strong>
            </dt>
            <dd>
              <span class="muted small">{selling.yours}:</span> {mine[name] ?? '–'}
            </dd>
            <dd>
              <span class="muted small">{selling.theirs}:</span> {theirs[name] ?? '–'}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
