import {
  isSentToUs,
  type Health,
  type HotkeyStatus,
  type Problem,
  type RtmpStatus,
  type SessionState,
} from '../../../contract/index.ts';
import type { Rates } from './window.ts';

export type HealthInput = {
  session: SessionState;
  rates: Rates;
  bitrateKbps: number | null;
  rtmp: RtmpStatus;
  hotkeys: readonly HotkeyStatus[];
  /** since when the present ffmpeg delivers pictures, Unix seconds; undefined before its first */
  steadySince: number | undefined;
  /** Unix seconds */
  now: number;
  /** problems that stand until their cause goes away, kept by their owners */
  standing: readonly Problem[];
};

/** A capture that has just begun is not yet "too slow". */
const SETTLE_SECONDS = 3;
/** Another program's pictures come less evenly than our own encoder's progress. */
const SENDER_SPEED = 0.95;

/**
 * The one derivation of what is wrong now. Thresholds: fps below 95 % of the target, speed below 0.98, more than 1 % of two
 * minutes' pictures repeated or dropped.
 */
export function deriveHealth(input: HealthInput): Health {
  const { session, rates, bitrateKbps, rtmp, hotkeys, steadySince, now } = input;
  const running = session.state === 'live' || session.state === 'stalled' || session.state === 'reconnecting';
  const source = 'source' in session ? session.source : null;
  const sentToUs = source !== null && isSentToUs(source.kind);
  // what another program sends has no rate that we asked for
  const targetFps = sentToUs ? null : (source?.fps ?? null);
  const problems: Problem[] = [];
  const add = (code: Problem['code'], severity: Problem['severity'], message: string, remedy: string): void => {
    problems.push({ code, severity, message, remedy });
  };

  if (session.state === 'stalled') {
    add(
      'stalled',
      'error',
      `No new picture for ${Math.max(1, Math.round(now - session.stalledSince))} s.`,
      sentToUs
        ? 'Look at the program that sends: it may hang or be paused. It goes on by itself as soon as pictures come.'
        : 'Look at the captured window: it may hang or wait. After 10 s the capture is started again by itself.',
    );
  }
  if (
    session.state === 'live' &&
    steadySince !== undefined &&
    now - steadySince > SETTLE_SECONDS &&
    targetFps !== null
  ) {
    if (rates.fps !== null && rates.fps < 0.95 * targetFps) {
      add(
        'fps-low',
        'warning',
        `Only ${rates.fps.toFixed(1)} of ${targetFps} new pictures per second arrive.`,
        'Choose 30 fps or a smaller picture in the settings.',
      );
    }
    if (rates.speed !== null && rates.speed < 0.98) {
      add(
        'speed-low',
        'warning',
        `Encoding runs at ${(Math.floor(rates.speed * 100) / 100).toFixed(2)}x, slower than real time.`,
        'Choose a smaller picture or 30 fps, or close programs that use the processor.',
      );
    }
    const expected = Math.min(120, now - steadySince) * targetFps;
    if (rates.duplicatedRecently > Math.max(5, 0.01 * expected)) {
      add(
        'frames-duplicated',
        'warning',
        `${rates.duplicatedRecently} pictures had to be repeated in the last two minutes.`,
        'The source delivers too few pictures, or the computer was busy.',
      );
    }
    if (rates.droppedRecently > Math.max(5, 0.01 * expected)) {
      add(
        'frames-dropped',
        'warning',
        `${rates.droppedRecently} pictures were dropped in the last two minutes.`,
        'Choose a smaller picture or 30 fps.',
      );
    }
  }
  if (
    sentToUs &&
    session.state === 'live' &&
    steadySince !== undefined &&
    now - steadySince > SETTLE_SECONDS &&
    rates.speed !== null &&
    rates.speed < SENDER_SPEED
  ) {
    add(
      'speed-low',
      'warning',
      `The stream arrives at ${(Math.floor(rates.speed * 100) / 100).toFixed(2)}x, slower than real time.`,
      'Lower the resolution, the frame rate or the encoder preset in the program that sends.',
    );
  }
  if (rtmp.state === 'down') add('rtmp-down', 'error', rtmp.error.message, rtmp.error.remedy);
  const refused = hotkeys.flatMap((hotkey) => (hotkey.state === 'unavailable' ? [hotkey.error] : []));
  const [first] = refused;
  if (first) {
    add('hotkey-unavailable', 'warning', refused.map(({ message }) => message).join(' '), first.remedy);
  }
  problems.push(...input.standing);

  return {
    fps: running ? rates.fps : null,
    speed: running ? rates.speed : null,
    bitrateKbps: running ? bitrateKbps : null,
    q: running ? rates.q : null,
    duplicated: rates.duplicated,
    dropped: rates.dropped,
    duplicatedRecently: rates.duplicatedRecently,
    droppedRecently: rates.droppedRecently,
    targetFps,
    problems,
  };
}

/** Rates of a shared computer flicker around a threshold; only what stays for this long is worth a warning. */
const PERSIST_SECONDS = 2;

/** Holds back warnings about rates until they have stood for two seconds; errors pass at once. */
export class SteadyProblems {
  readonly #since = new Map<Problem['code'], number>();

  filter(problems: readonly Problem[], now: number): Problem[] {
    for (const code of this.#since.keys())
      if (!problems.some((problem) => problem.code === code)) this.#since.delete(code);
    return problems.filter(({ code }) => {
      if (code !== 'fps-low' && code !== 'speed-low') return true;
      const since = this.#since.get(code) ?? now;
      this.#since.set(code, since);
      return now - since >= PERSIST_SECONDS;
    });
  }
}
