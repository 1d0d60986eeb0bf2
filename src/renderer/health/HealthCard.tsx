import { CircleCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import { SoundLevels } from '../sound/SoundLevels.tsx';
import { dropSteps } from '../store/history.ts';
import { useStudio, useStudioStore } from '../store/store.ts';
import { cx } from '../ui/cx.ts';
import { bitrateGauge, droppedGauge, fpsGauge, type Gauge, speedGauge, type Tone } from '../words/health-words.ts';
import { isRunning } from '../words/session-words.ts';
import { GaugeHelp } from './GaugeHelp.tsx';
import { Problems } from './Problems.tsx';
import { Sparkline } from './Sparkline.tsx';

const COLOUR: Record<Tone, string> = { ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', plain: 'text-dim' };
/** the number itself stays quiet while all is well */
const LOUD: Record<Tone, string> = { ok: '', warn: 'text-warn', bad: 'text-bad', plain: '' };
const LINE: Record<Tone, string> = { ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', plain: 'text-accent' };

/** What the engine measured over the last two seconds, in numbers and words, and what is wrong. */
export function HealthCard() {
  const health = useStudio((state) => state.health);
  const running = useStudio((state) => isRunning(state.session));
  const history = useStudioStore((store) => store.history);
  const to = history.at(-1)?.at ?? 0;
  const target = health.targetFps ?? 30;
  const fps = fpsGauge(health);
  const speed = speedGauge(health);
  const rate = bitrateGauge(health);
  const dropped = droppedGauge(health);
  const measured = running && health.fps !== null;

  return (
    <section
      id="health"
      tabIndex={-1}
      aria-labelledby="health-title"
      className="card shrink-0 scroll-mt-16 px-3.5 py-3"
    >
      <div className="mb-2 flex items-center gap-2">
        <h2 id="health-title" className="card-title flex-1">
          Health
        </h2>
        {measured && health.problems.length === 0 && (
          <span className="inline-flex items-center gap-1 text-xs text-ok">
            <CircleCheck size={13} aria-hidden />
            All is well
          </span>
        )}
        <GaugeHelp />
      </div>
      {/* a stall is said over the picture */}
      <Problems problems={health.problems.filter(({ code }) => code !== 'stalled')} />
      {running ? (
        <dl>
          <Row label="Capture rate" gauge={fps}>
            <Sparkline
              points={history.map(({ at, fps: value }) => ({ at, value }))}
              {...{ to, floor: 0, ceiling: target * 1.1, className: LINE[fps.tone] }}
            />
          </Row>
          <Row label="Speed" gauge={speed}>
            <Sparkline
              points={history.map(({ at, speed: value }) => ({ at, value }))}
              {...{ to, floor: 0.5, ceiling: 1.2, className: LINE[speed.tone] }}
            />
          </Row>
          <Row label="Bitrate" gauge={rate} hint={health.q === null ? undefined : 'q: the quantiser, lower is better'}>
            <Sparkline
              points={history.map(({ at, bitrateKbps: value }) => ({ at, value }))}
              {...{ to, floor: 0, ceiling: 500, className: LINE[rate.tone] }}
            />
          </Row>
          <Row label="Dropped, last 2 min" gauge={dropped}>
            <Sparkline points={dropSteps(history)} {...{ to, floor: 0, ceiling: 4, className: LINE[dropped.tone] }} />
          </Row>
        </dl>
      ) : (
        <p className="text-[12.5px] text-dim">Frame rate, speed and bitrate appear here while streaming.</p>
      )}
      <SoundLevels />
    </section>
  );
}

function Row({
  label,
  gauge,
  hint,
  children,
}: {
  label: string;
  gauge: Gauge;
  hint?: string | undefined;
  children: ReactNode;
}) {
  return (
    <div className="num border-t border-line py-1.5 first:border-t-0 first:pt-0 last:pb-0">
      <dt className="sr-only">{label}</dt>
      <dd>
        <div className="flex items-center justify-between">
          <span className={cx('text-lg leading-6 font-semibold tracking-tight', LOUD[gauge.tone])}>
            {gauge.value} <span className="text-xs font-medium text-dim">{gauge.unit}</span>
          </span>
          {children}
        </div>
        <div className="flex justify-between gap-2 text-xs text-dim">
          <span aria-hidden>{label}</span>
          <span className={cx('truncate', COLOUR[gauge.tone])} title={hint}>
            {gauge.words}
          </span>
        </div>
      </dd>
    </div>
  );
}
