import { StudioError, type EncoderId, type VideoCodec } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { runToEnd } from '../process/child.ts';
import { ReplayRing } from '../replay/ring.ts';
import { encoderPlan } from './arguments.ts';
import { encoderFailure, encoderMute } from './failures.ts';
import type { EncoderPlan } from './plan.ts';
import { encoderName, kindOf } from './table.ts';

const PICTURES = 30;
const SIZE = { width: 1280, height: 720 } as const;
/** A card that sleeps takes two seconds to wake; x265 on one busy core took 2.1 s (measured). */
const TRIAL_MS = 15_000;

/** A second of moving video, encoded as a capture would be. */
const trialArgs = (plan: EncoderPlan): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'info', '-benchmark', ...plan.globals],
  ...['-f', 'lavfi', '-i', `testsrc2=size=${SIZE.width}x${SIZE.height}:rate=${PICTURES}`],
  ...['-frames:v', String(PICTURES), '-vf', plan.filters.join(','), ...plan.args, '-r', String(PICTURES)],
  ...['-flags', '+global_header', '-f', 'mpegts', '-mpegts_flags', '+resend_headers', 'pipe:1'],
];

/** Seconds that ffmpeg says its work took, without its own start: `bench: utime=0.151s stime=0.029s rtime=0.104s`. */
export function benchSeconds(stderr: readonly string[]): number | undefined {
  const seconds = stderr
    .map((line) => /^bench: .*\brtime=(\d+\.\d+)s/.exec(line)?.[1])
    .find((text) => text !== undefined);
  return seconds === undefined || Number(seconds) <= 0 ? undefined : Number(seconds);
}

/** What is wrong with a trial's output, in a few words for the log; undefined when it is the whole second, beginning with its only keyframe. */
export function flawOf(output: Uint8Array, codec: VideoCodec): string | undefined {
  const ring = new ReplayRing({ maxBytes: 32 * 1024 * 1024, maxSeconds: 60 });
  const keyframes: boolean[] = [];
  const codecs = new Set<string>();
  ring.onAccessUnit((picture) => {
    keyframes.push(picture.keyframe);
    codecs.add(picture.codec);
  });
  ring.beginEpoch({ sourceName: 'trial' });
  ring.write(output);
  ring.endInput();
  const count = keyframes.filter(Boolean).length;
  if (keyframes.length !== PICTURES) return `${keyframes.length} pictures instead of ${PICTURES}`;
  if (count !== 1 || keyframes[0] !== true) return `${count} keyframes instead of one at the start`;
  return [...codecs].join() === codec ? undefined : `${[...codecs].join()} instead of ${codec}`;
}

/**
 * Proves that an encoder works by encoding a second of video with it and decoding the result strictly. Answers pictures per second; it runs behind
 * everything else. Errors: `encoder-failed` with why, `cancelled` by the signal.
 */
export async function tryEncoder(
  id: EncoderId,
  ffmpeg: Ffmpeg,
  renderNode: string | null,
  signal: AbortSignal,
): Promise<number> {
  if (!ffmpeg.encoders.has(id)) {
    throw new StudioError(
      'encoder-failed',
      `This ffmpeg was built without ${encoderName(id)}.`,
      'Install a full ffmpeg, or set FFMPEG_PATH to one.',
    );
  }
  const plan = encoderPlan(id, { fps: 30, quality: 'performance', bitrateKbps: null, ...SIZE, renderNode });
  const run = async (args: string[], input?: Uint8Array): ReturnType<typeof runToEnd> =>
    runToEnd(ffmpeg.ffmpeg, args, {
      timeoutMs: TRIAL_MS,
      signal,
      background: true,
      ...(input ? { input } : {}),
    }).catch((thrown: unknown) => {
      throw signal.aborted ? thrown : encoderMute(id, thrown);
    });
  const { code, stdout, stderr } = await run(trialArgs(plan));
  const said = new Error(stderr.slice(-8).join(' / '));
  if (code !== 0) throw encoderFailure(id, stderr, said) ?? encoderMute(id, said);
  const flaw = flawOf(stdout, kindOf(id).codec);
  if (flaw !== undefined) throw unusable(id, flaw);
  const strict = ['-v', 'error', '-xerror', '-err_detect', 'explode'];
  const decoded = await run([...strict, '-f', 'mpegts', '-i', 'pipe:0', '-f', 'null', '-'], stdout);
  if (decoded.code !== 0) throw unusable(id, decoded.stderr.slice(-4).join(' / '));
  return PICTURES / (benchSeconds(stderr) ?? 1);
}

const unusable = (id: EncoderId, why: string): StudioError =>
  new StudioError(
    'encoder-failed',
    `What ${encoderName(id)} encoded cannot be used.`,
    "Update the graphics card's driver, or choose another encoder.",
    { cause: new Error(why) },
  );
