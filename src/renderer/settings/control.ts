/** How a field to type or choose in looks. */
export const CONTROL =
  'h-9 rounded-lg border border-edge bg-page px-3 text-ink aria-invalid:border-bad disabled:text-faint';
