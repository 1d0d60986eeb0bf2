import type { ReactNode } from 'react';
import type { ReplayStatus } from '../../contract/replay.ts';
import { cx } from '../ui/cx.ts';
import { clock } from '../words/format.ts';
import { segments } from '../words/replay-words.ts';

/** Marks at even steps back from the newest picture: 2:00 1:30 1:00 0:30. */
export function scaleMarks(capacitySeconds: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].find((seconds) => capacitySeconds / seconds <= 6) ?? 3600;
  const marks: number[] = [];
  for (let at = step; at < capacitySeconds - step * 0.4; at += step) marks.push(at);
  return [capacitySeconds, ...marks.reverse()];
}

/**
 * The buffer drawn to scale, the newest picture at the right: one block per unbroken stretch, and the part that Save
 * would take. What is laid over it (`children`) lies in the same place and stays reachable.
 */
export function EpochBar(props: { replay: ReplayStatus; takes: number; live: boolean; children?: ReactNode }) {
  const { replay, takes: taken, live, children } = props;
  const scale = Math.max(replay.capacitySeconds, replay.secondsHeld, 1);
  const blocks = segments(replay.epochs, replay.capacitySeconds);
  const label =
    replay.secondsHeld === 0
      ? 'The replay is empty'
      : `${clock(replay.secondsHeld)} held in ${blocks.length === 1 ? 'one piece' : `${blocks.length} pieces`}; Save takes the last ${clock(taken)}`;
  return (
    <div className="relative">
      <div role="img" aria-label={label}>
        <div className="relative h-9">
          <div className="absolute inset-0 overflow-hidden rounded-lg border border-edge bg-page">
            {blocks.map((block, index) => (
              <span
                key={block.id}
                title={`${clock(block.seconds)} without a break`}
                style={{ left: `${block.left * 100}%`, width: `calc(${block.width * 100}% - 1px)` }}
                className={cx(
                  'num absolute inset-y-0 flex items-center overflow-hidden rounded-[3px] px-2 text-xs whitespace-nowrap text-ink',
                  index === blocks.length - 1 && live ? 'bg-[#1f4a63]' : 'bg-[#2b3644]',
                )}
              >
                {block.width > 0.06 && clock(block.seconds)}
              </span>
            ))}
          </div>
          {taken > 0 && (
            <span
              style={{ width: `${(taken / scale) * 100}%` }}
              className="absolute inset-y-0 right-0 rounded-lg border-2 border-accent bg-accent/20"
            />
          )}
          {live && <span className="absolute -inset-y-1 right-0 w-[3px] rounded bg-live" />}
        </div>
        <div className="num relative mt-1.5 h-4 text-[11.5px] text-faint">
          {scaleMarks(scale).map((seconds, index) => (
            <span
              key={seconds}
              className={cx('absolute', index > 0 && '-translate-x-1/2')}
              style={{ left: `${(1 - seconds / scale) * 100}%` }}
            >
              -{clock(seconds)}
            </span>
          ))}
          <span className={cx('absolute right-0', live && 'text-live')}>{live ? 'live' : 'newest'}</span>
        </div>
      </div>
      {children !== undefined && <div className="pointer-events-none absolute inset-x-0 top-0 h-9">{children}</div>}
    </div>
  );
}
