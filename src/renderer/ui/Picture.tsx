import { type ReactNode, useState } from 'react';
import { cx } from './cx.ts';

/** A picture that may not exist (no address, or 404): then the fallback stands in its place. A new address is tried afresh. */
export function Picture({ src, fallback, className }: { src: string | null; fallback: ReactNode; className?: string }) {
  const [failed, setFailed] = useState<string | null>(null);
  return (
    <span className={cx('grid place-items-center overflow-hidden border border-edge bg-page text-faint', className)}>
      {src === null || failed === src ? (
        fallback
      ) : (
        <img src={src} alt="" draggable={false} className="size-full object-cover" onError={() => setFailed(src)} />
      )}
    </span>
  );
}
