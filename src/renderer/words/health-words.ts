import type { Health } from '../../contract/health.ts';
import { bitrate, count, type Measure } from './format.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'plain';
export type Gauge = Measure & { readonly words: string; readonly tone: Tone };

const unmeasured = (unit: string): Gauge => ({ value: '–', unit, words: 'not measured yet', tone: 'plain' });

/** At least 95 % of the rate asked for is on target; under 80 % the picture visibly stutters. */
export function fpsGauge({ fps, targetFps }: Pick<Health, 'fps' | 'targetFps'>): Gauge {
  if (fps === null) return unmeasured('fps');
  const gauge = { value: fps.toFixed(1), unit: 'fps' };
  if (fps === 0) return { ...gauge, words: 'no new pictures', tone: 'bad' };
  if (targetFps === null) return { ...gauge, words: '', tone: 'plain' };
  const share = fps / targetFps;
  if (share >= 0.95) return { ...gauge, words: `on target ${targetFps}`, tone: 'ok' };
  if (share >= 0.8) return { ...gauge, words: `below target ${targetFps}`, tone: 'warn' };
  return { ...gauge, words: `far below target ${targetFps}`, tone: 'bad' };
}

/** Media seconds encoded per second: anything lastingly under 1 means the encoder cannot keep up. */
export function speedGauge({ speed }: Pick<Health, 'speed'>): Gauge {
  if (speed === null) return unmeasured('×');
  const gauge = { value: speed.toFixed(2), unit: '×' };
  if (speed >= 1.1) return { ...gauge, words: 'catching up', tone: 'ok' };
  if (speed >= 0.98) return { ...gauge, words: 'real time', tone: 'ok' };
  if (speed >= 0.9) return { ...gauge, words: 'falling behind', tone: 'warn' };
  return { ...gauge, words: 'too slow for real time', tone: 'bad' };
}

export function bitrateGauge({ bitrateKbps, q }: Pick<Health, 'bitrateKbps' | 'q'>): Gauge {
  if (bitrateKbps === null) return unmeasured('Mbit/s');
  const gauge = bitrate(bitrateKbps);
  if (bitrateKbps === 0) return { ...gauge, words: 'nothing arrives', tone: 'bad' };
  return { ...gauge, words: q === null ? '' : `q ${Math.round(q)}`, tone: 'plain' };
}

/** Over the last two minutes. One lost picture in a hundred is a visible stutter each few seconds. */
export function droppedGauge(health: Pick<Health, 'droppedRecently' | 'duplicatedRecently' | 'targetFps'>): Gauge {
  const { droppedRecently, duplicatedRecently, targetFps } = health;
  const gauge = { value: String(droppedRecently), unit: droppedRecently === 1 ? 'picture' : 'pictures' };
  const repeated = duplicatedRecently > 0 ? `${duplicatedRecently} repeated` : '';
  if (droppedRecently === 0) {
    if (repeated) return { ...gauge, words: repeated, tone: 'plain' };
    return { ...gauge, words: 'none lost', tone: 'ok' };
  }
  const share = droppedRecently / ((targetFps ?? 30) * 120);
  const words = repeated || `${count(droppedRecently, 'picture')} lost`;
  return { ...gauge, words, tone: share < 0.01 ? 'warn' : 'bad' };
}
