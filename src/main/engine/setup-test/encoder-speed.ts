import type { EncoderId } from '../../../contract/index.ts';
import { encoderPlan } from '../encoders/arguments.ts';
import { ProgressParser } from '../ffmpeg/progress.ts';
import { startChild } from '../process/child.ts';
import type { Size } from '../capture/args.ts';

/** From the first encoded picture on, for this long; the encoder's own start is not its speed. */
const MEASURED_MS = 700;
/** A card that sleeps takes two seconds to wake. */
const FIRST_MS = 4000;

export type EncoderSpeedRequest = {
  ffmpeg: string;
  encoder: EncoderId;
  size: Size;
  renderNode: string | null;
  signal: AbortSignal;
};

/**
 * Pictures per second of an encoder set up as for a capture at its cheapest quality, fed by ffmpeg's own test picture as fast as it takes them; what
 * it costs to draw that picture is part of it, as grabbing would be. Undefined when it encodes nothing in time. Never rejects.
 */
export async function encoderSpeed(request: EncoderSpeedRequest): Promise<number | undefined> {
  const { ffmpeg, encoder, size, renderNode, signal } = request;
  if (signal.aborted) return undefined;
  const plan = encoderPlan(encoder, { fps: 60, quality: 'performance', bitrateKbps: null, ...size, renderNode });
  const parser = new ProgressParser();
  let first: { at: number; frame: number } | undefined;
  let last = first;
  let done: () => void = () => undefined;
  const measured = new Promise<void>((resolve) => (done = resolve));
  const child = startChild({
    name: 'encoder speed',
    command: ffmpeg,
    args: [
      ...['-hide_banner', '-nostats', '-loglevel', 'error', '-progress', 'pipe:3', '-stats_period', '0.05'],
      ...plan.globals,
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size.width}x${size.height}:rate=60`],
      ...['-vf', plan.filters.join(','), ...plan.args, '-t', '60', '-f', 'null', '-'],
    ],
    onControlLine: (line) => {
      const frame = parser.push(line)?.frame ?? 0;
      if (frame === 0) return;
      last = { at: performance.now(), frame };
      first ??= last;
      if (last.at - first.at >= MEASURED_MS) done();
    },
  });
  const late = setTimeout(done, FIRST_MS + MEASURED_MS);
  signal.addEventListener('abort', done, { once: true });
  await Promise.race([measured, child.exited]);
  clearTimeout(late);
  signal.removeEventListener('abort', done);
  child.kill();
  await child.exited;
  if (!first || !last || last.frame === first.frame) return undefined;
  return ((last.frame - first.frame) * 1000) / (last.at - first.at);
}
