import { useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface PictureProps {
  src: string | null;
  /** In view when the page opens: not to be put off. */
  isEager?: boolean;
}

/** A square in which the picture of a product is, or an icon. Its name stands next to it, so it says nothing itself. */
export function Picture({ src, isEager = false }: PictureProps) {
  const [broken, setBroken] = useState<string>();
  if (src === null || src === broken)
    return (
      <div class="picture picture--none">
        <Icon name="box" size={40} />
      </div>
    );
  return (
    <div class="picture">
      <img
        src={src}
        alt=""
        width="480"
        height="480"
        decoding="async"
        loading={isEager ? 'eager' : 'lazy'}
        onError={() => setBroken(src)}
      />
    </div>
  );
}
