import { EncoderId, type Problem } from '../../../contract/index.ts';
import type { SessionFacts } from '../capture/status.ts';
import { encoderName, kindOf } from '../encoders/table.ts';
import { CATALOG, THRESHOLDS } from './catalog.ts';

/** Our own encoder, as far as its load is concerned. */
export type EncoderInUse = Pick<EncoderLoad, 'sourceWaited' | 'encoder' | 'hardware' | 'priorityRefused'>;

/** Undefined while another program encodes. */
export function encoderInUse({ info, sourceWaited, priorityRefused }: SessionFacts): EncoderInUse | undefined {
  const { success, data: id } = EncoderId.safeParse(info.encoder);
  if (!success) return undefined;
  return {
    sourceWaited: sourceWaited === true,
    encoder: encoderName(id),
    hardware: kindOf(id).hardware,
    priorityRefused: priorityRefused === true,
  };
}

export type EncoderLoad = {
  /** media seconds encoded per second and new pictures per second, over the last two seconds; null before they are known */
  speed: number | null;
  fps: number | null;
  targetFps: number | null;
  /** ffmpeg said that pictures of the source had to wait for the encoder ("Thread message queue blocking"), since its start */
  sourceWaited: boolean;
  /** how people call the encoder, and whether it runs on the graphics card */
  encoder: string;
  hardware: boolean;
  /** what was achieved, when this user may not raise the capture's priority */
  priorityRefused: boolean;
};

/**
 * Whether the encoder is what cannot keep up, rather than the source. ffmpeg encodes slower than real time (below 0.98) when pictures come in time
 * and leave late; a live source that has to wait is sampled less often instead, so that too few new pictures arrive although it waited.
 * A source that is slow by itself never waits. Takes the place of `speed-low` and `fps-low` where it answers; the priority is spoken of
 * only then, because most users of Linux may not raise it and nobody needs to hear so while all is well.
 */
export function encoderProblems(load: EncoderLoad): Problem[] {
  const { speed, fps, targetFps, sourceWaited, encoder, hardware, priorityRefused } = load;
  const slow = speed !== null && speed < THRESHOLDS.speed;
  const starved = sourceWaited && fps !== null && targetFps !== null && fps < THRESHOLDS.fpsShare * targetFps;
  if (!slow && !starved) return [];
  const rate = slow
    ? `${(Math.floor(speed * 100) / 100).toFixed(2)}x real time`
    : `${(fps ?? 0).toFixed(1)} of ${targetFps ?? 0} pictures per second`;
  return [
    {
      code: 'encoder-overloaded',
      severity: CATALOG['encoder-overloaded'].severity,
      message: `The encoder (${encoder}) does not keep up: ${rate}.`,
      remedy: hardware
        ? 'Choose a smaller picture or 30 fps, or limit the frame rate in the game.'
        : "Choose a smaller picture, 30 fps, Performance as the quality or the graphics card's encoder in the settings.",
    },
    ...(priorityRefused
      ? [
          {
            code: 'priority-refused',
            severity: CATALOG['priority-refused'].severity,
            message: 'The capture runs at normal priority: this user may not raise it.',
            remedy:
              'Allow it with a line "@users - nice -10" in /etc/security/limits.conf and log in again, or close other programs.',
          } as const,
        ]
      : []),
  ];
}
