import {
  isSentToUs,
  type Health,
  type HotkeyStatus,
  type Problem,
  type PushStatus,
  type RtmpStatus,
  type SessionState,
} from '../../../contract/index.ts';
import { CATALOG, THRESHOLDS } from './catalog.ts';
import { encoderProblems, type EncoderInUse } from './encoder.ts';
import type { Rates } from './window.ts';

export type HealthInput = {
  session: SessionState;
  rates: Rates;
  bitrateKbps: number | null;
  rtmp: RtmpStatus;
  hotkeys: readonly HotkeyStatus[];
  push: readonly PushStatus[];
  /** since when the present ffmpeg delivers pictures, Unix seconds; undefined before its first */
  steadySince: number | undefined;
  /** what encodes, when it is ours */
  encoder?: EncoderInUse | undefined;
  /** Unix seconds */
  now: number;
  /** problems that stand until their cause goes away, kept by their owners */
  standing: readonly Problem[];
};

/**
 * The one derivation of what is wrong now, for the UI, `/api/status` and the log. Thresholds: `THRESHOLDS`; `SteadyProblems` adds the
 * times.
 */
export function deriveHealth(input: HealthInput): Health {
  const { session, rates, bitrateKbps, rtmp, hotkeys, push, steadySince, encoder, now } = input;
  const running = session.state === 'live' || session.state === 'stalled' || session.state === 'reconnecting';
  const source = 'source' in session ? session.source : null;
  const sentToUs = source !== null && isSentToUs(source.kind);
  // what another program sends has no rate that we asked for
  const targetFps = sentToUs ? null : (source?.fps ?? null);
  const problems: Problem[] = [];
  const add = (code: Problem['code'], message: string, remedy: string = CATALOG[code].remedy): void => {
    problems.push({ code, severity: CATALOG[code].severity, message, remedy });
  };
  const settled = session.state === 'live' && steadySince !== undefined && now - steadySince > THRESHOLDS.settleSeconds;

  if (session.state === 'stalled') {
    add(
      'stalled',
      `No new picture for ${Math.max(1, Math.round(now - session.stalledSince))} s.`,
      sentToUs
        ? 'Look at the program that sends: it may hang or be paused. It goes on by itself as soon as pictures come.'
        : 'Look at the captured window: it may hang or wait. After 10 s the capture is started again by itself.',
    );
  }
  const overload = settled && targetFps !== null && encoder ? encoderProblems({ ...encoder, ...rates, targetFps }) : [];
  problems.push(...overload);
  if (settled && targetFps !== null) {
    const slow = overload.length > 0;
    if (!slow && rates.fps !== null && rates.fps < THRESHOLDS.fpsShare * targetFps) {
      add('fps-low', `Only ${rates.fps.toFixed(1)} of ${targetFps} new pictures per second arrive.`);
    }
    if (!slow && rates.speed !== null && rates.speed < THRESHOLDS.speed) {
      add('speed-low', `Encoding runs at ${(Math.floor(rates.speed * 100) / 100).toFixed(2)}x, slower than real time.`);
    }
    const expected = Math.min(120, now - steadySince) * targetFps;
    const tooMany = Math.max(THRESHOLDS.lostAtLeast, THRESHOLDS.lostShare * expected);
    if (rates.duplicatedRecently > tooMany) {
      add('frames-duplicated', `${rates.duplicatedRecently} pictures had to be repeated in the last two minutes.`);
    }
    if (rates.droppedRecently > tooMany) {
      add('frames-dropped', `${rates.droppedRecently} pictures were dropped in the last two minutes.`);
    }
  }
  if (settled && sentToUs && rates.speed !== null && rates.speed < THRESHOLDS.senderSpeed) {
    add(
      'speed-low',
      `The stream arrives at ${(Math.floor(rates.speed * 100) / 100).toFixed(2)}x, slower than real time.`,
      'Lower the resolution, the frame rate or the encoder preset in the program that sends.',
    );
  }
  if (rtmp.state === 'down') add('rtmp-down', rtmp.error.message, rtmp.error.remedy);
  const refused = hotkeys.flatMap((hotkey) => (hotkey.state === 'unavailable' ? [hotkey.error] : []));
  const [first] = refused;
  if (first) {
    add('hotkey-unavailable', refused.map(({ message }) => message).join(' '), first.remedy);
  }
  const failing = push.flatMap(({ state, name, error }) => (state === 'retrying' && error ? [{ name, error }] : []));
  const [failed] = failing;
  if (failed) {
    const others = failing.length === 1 ? '' : ` The same goes for ${failing.length - 1} more.`;
    add('push-failed', `${failed.name}: ${failed.error.message}${others}`, failed.error.remedy);
  }
  if (session.state === 'failed' && session.error.code === 'device-lost') {
    add('device-lost', session.error.message, session.error.remedy);
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
