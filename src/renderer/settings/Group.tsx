import type { ReactNode } from 'react';

/** Settings that belong together, under their title. */
export function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend className="card-title mb-2">{title}</legend>
      <div className="grid gap-3">{children}</div>
    </fieldset>
  );
}
