import { CircleHelp } from 'lucide-react';
import { Popover } from 'radix-ui';
import { GAUGE_HELP } from '../words/problem-words.ts';

/** What the gauges mean, one sentence or two each. */
export function GaugeHelp() {
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label="What these numbers mean"
        title="What these numbers mean"
        className="grid size-6 place-items-center rounded-full text-dim hover:bg-raised hover:text-ink"
      >
        <CircleHelp size={15} aria-hidden />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          aria-label="What these numbers mean"
          collisionPadding={12}
          sideOffset={6}
          align="end"
          className="card scroll z-50 max-h-(--radix-popover-content-available-height) w-[min(340px,calc(100vw-24px))] bg-raised px-4 py-3 shadow-2xl shadow-black/60"
        >
          <dl className="grid gap-2.5 text-[12.5px]">
            {GAUGE_HELP.map(({ name, text }) => (
              <div key={name}>
                <dt className="font-semibold">{name}</dt>
                <dd className="text-dim">{text}</dd>
              </div>
            ))}
          </dl>
          <Popover.Arrow className="fill-edge" />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
