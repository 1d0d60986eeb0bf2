import { Flag, Save, X } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { Mark, ReplayStatus } from '../../contract/replay.ts';
import { deleteMark, saveReplay } from '../store/actions.ts';
import { clock } from '../words/format.ts';
import { markPlaces } from './mark-places.ts';

const ITEM =
  'num flex cursor-default items-center gap-2 rounded-md px-2.5 py-1.5 text-[13px] outline-none data-[highlighted]:bg-raised';

/** The marks as flags over the buffer's bar; each opens what can be done with it. */
export function MarkFlags({
  marks,
  replay,
  disabled,
}: {
  marks: readonly Mark[];
  replay: ReplayStatus;
  disabled: boolean;
}) {
  const places = markPlaces(marks, replay);
  if (places.length === 0) return null;
  return (
    <ul aria-label="Marks" className="pointer-events-none absolute -inset-y-1 inset-x-0">
      {places.map(({ mark, left, secondsAgo }) => (
        <li key={mark.id} className="absolute inset-y-0" style={{ left: `${left * 100}%` }}>
          <DropdownMenu.Root>
            <DropdownMenu.Trigger
              disabled={disabled}
              aria-label={`${mark.label}, ${clock(secondsAgo)} ago`}
              title={mark.label}
              className="pointer-events-auto absolute inset-y-0 -left-2 flex w-4 justify-center before:absolute before:inset-y-0 before:w-[2px] before:bg-warn"
            >
              <Flag size={12} aria-hidden className="relative ml-3 shrink-0 fill-warn text-warn" />
            </DropdownMenu.Trigger>
            <DropdownMenu.Portal>
              <DropdownMenu.Content
                align="start"
                sideOffset={4}
                className="card z-50 min-w-44 p-1 shadow-2xl shadow-black/60"
              >
                <DropdownMenu.Label className="max-w-64 truncate px-2.5 py-1 text-xs text-dim">
                  {mark.label}
                </DropdownMenu.Label>
                <DropdownMenu.Item className={ITEM} onSelect={() => void saveReplay({ from: mark.at, exact: true })}>
                  <Save size={14} aria-hidden />
                  Save from here
                </DropdownMenu.Item>
                <DropdownMenu.Item className={ITEM} onSelect={() => void deleteMark(mark.id)}>
                  <X size={14} aria-hidden />
                  Remove the mark
                </DropdownMenu.Item>
              </DropdownMenu.Content>
            </DropdownMenu.Portal>
          </DropdownMenu.Root>
        </li>
      ))}
    </ul>
  );
}
