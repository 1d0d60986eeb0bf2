import type { CaptureInfo, SessionState } from '../../src/contract/capture.ts';
import type { Clip } from '../../src/contract/clips.ts';
import type { Health } from '../../src/contract/health.ts';
import type { ReplayStatus } from '../../src/contract/replay.ts';
import { DEFAULT_SETTINGS } from '../../src/contract/settings.ts';
import type { Source } from '../../src/contract/sources.ts';
import type { StudioState } from '../../src/contract/state.ts';

const MIB = 1024 * 1024;
export const nowSeconds = (): number => Date.now() / 1000;

export const SOURCES: Source[] = [
  { id: 'screen:0', kind: 'screen', name: 'Screen 1', width: 2560, height: 1440, suggested: false, available: true },
  {
    id: 'window:0x1c00007',
    kind: 'window',
    name: 'Assetto Corsa',
    app: 'acs.exe',
    width: 1920,
    height: 1080,
    suggested: true,
    available: true,
  },
  {
    id: 'window:0x2a00003',
    kind: 'window',
    name: 'Setup sheet for Spa-Francorchamps, qualifying and race fuel - Mozilla Firefox',
    app: 'firefox',
    width: 1284,
    height: 903,
    suggested: false,
    available: true,
  },
  {
    id: 'window:0x3000001',
    kind: 'window',
    name: 'Telemetry',
    app: 'python3',
    width: 640,
    height: 480,
    suggested: false,
    available: false,
    reason: 'It is minimised. Restore it first.',
  },
  {
    id: 'test-pattern',
    kind: 'test-pattern',
    name: 'Test pattern',
    width: 1280,
    height: 720,
    suggested: false,
    available: true,
  },
];

export const CAPTURE: CaptureInfo = {
  id: 'window:0x1c00007',
  name: 'Assetto Corsa',
  kind: 'window',
  width: 1280,
  height: 720,
  fps: 30,
  encoder: 'libx264',
};

const EMPTY_HEALTH: Health = {
  fps: null,
  speed: null,
  bitrateKbps: null,
  q: null,
  duplicated: 0,
  dropped: 0,
  duplicatedRecently: 0,
  droppedRecently: 0,
  targetFps: null,
  problems: [],
};

export const GOOD_HEALTH: Health = {
  ...EMPTY_HEALTH,
  fps: 29.9,
  speed: 1,
  bitrateKbps: 11_800,
  q: 21,
  targetFps: 30,
};

export const BAD_HEALTH: Health = {
  ...GOOD_HEALTH,
  fps: 19.7,
  speed: 0.66,
  q: 38,
  dropped: 151,
  droppedRecently: 151,
  duplicated: 149,
  duplicatedRecently: 149,
  problems: [
    {
      code: 'speed-low',
      severity: 'warning',
      message: 'Encoding runs at 0.66x, slower than real time.',
      remedy: 'Choose a smaller picture or 30 fps, or close programs that use the processor.',
    },
    {
      code: 'picture-frozen',
      severity: 'warning',
      message: '"Assetto Corsa" does not react and its picture stands still.',
      remedy: 'Wait if it is loading; otherwise close it and open it again. The capture goes on by itself.',
    },
    {
      code: 'disk-low',
      severity: 'error',
      message: 'Only 41 MB are free on the disk of the clips folder, room for no clip.',
      remedy: 'Delete clips or other files, or choose another folder.',
    },
    {
      code: 'hotkey-unavailable',
      severity: 'warning',
      message: 'F9 is taken by another program.',
      remedy: 'Choose another hotkey in Settings.',
    },
  ],
};

const EMPTY_REPLAY: ReplayStatus = {
  secondsHeld: 0,
  liveSeconds: 0,
  bytesHeld: 0,
  capacityBytes: 512 * MIB,
  capacitySeconds: 120,
  estimatedSeconds: null,
  epochs: [],
};

export function replayHolding(...lengths: number[]): ReplayStatus {
  const total = lengths.reduce((sum, seconds) => sum + seconds, 0);
  let at = nowSeconds() - total;
  const epochs = lengths.map((seconds, id) => {
    const from = at;
    at += seconds;
    return { id, codec: 'h264' as const, from, to: at, seconds, bytes: Math.round(seconds * 1.48 * MIB) };
  });
  return {
    ...EMPTY_REPLAY,
    secondsHeld: total,
    liveSeconds: lengths.at(-1) ?? 0,
    bytesHeld: epochs.reduce((sum, { bytes }) => sum + bytes, 0),
    estimatedSeconds: 346,
    epochs,
  };
}

const clip = (id: string, name: string, minutesAgo: number, seconds: number): Clip => ({
  id,
  path: `/home/racer/Videos/Pitwall/${name}`,
  name,
  seconds,
  bytes: Math.round(seconds * 1.48 * MIB),
  codec: 'h264',
  createdAt: nowSeconds() - minutesAgo * 60,
  width: 1280,
  height: 720,
  source: 'Assetto Corsa',
});

export const CLIPS = (): Clip[] => [
  clip('a1', '2026-11-20 18.03.12 Assetto Corsa.mp4', 2, 31),
  clip('b2', '2026-11-20 17.56.40 Assetto Corsa.mp4', 9, 60),
  clip('c3', '2026-11-20 16.10.00 Screen 1.mp4', 116, 118),
  clip('d4', '2026-11-19 21.44.09 Assetto Corsa.mp4', 60 * 25, 60),
];

export const idleState = (): StudioState => ({
  app: {
    version: '0.1.0',
    shell: 'browser',
    platform: 'linux',
    clipsFolder: '/home/racer/Videos/Pitwall',
    httpUrl: 'http://127.0.0.1:1688',
  },
  session: { state: 'idle' },
  sources: SOURCES,
  health: EMPTY_HEALTH,
  replay: EMPTY_REPLAY,
  saves: [],
  marks: [],
  recovery: null,
  rtmp: { state: 'up', url: 'rtmp://127.0.0.1:1935/live/test', publishers: [], readers: [] },
  push: [],
  encoders: [],
  audio: { unavailable: null, devices: [], tracks: [] },
  setupTest: { state: 'idle' },
  clips: [],
  settings: DEFAULT_SETTINGS,
  hotkeys: [
    { id: 'save', state: 'active', accelerator: 'F9' },
    { id: 'mark', state: 'active', accelerator: 'F7' },
  ],
});

export const liveSession = (liveFor = 767): SessionState => ({
  state: 'live',
  source: CAPTURE,
  since: nowSeconds() - liveFor,
});

/** Everything the replay bar can hold at once: six Save buttons, marks in both stretches, saves under way. */
export const crowdedState = (): StudioState => {
  const live = liveState();
  const replay = replayHolding(22, 70);
  const [old, newest] = replay.epochs;
  const preset = { hotkey: '', format: 'mp4', clear: false } as const;
  const job = { format: 'mp4', startedAt: nowSeconds(), stage: 'writing', bytesExpected: 4000 } as const;
  return {
    ...live,
    replay,
    settings: {
      ...live.settings,
      savePresets: [
        ...live.settings.savePresets,
        { ...preset, id: 'short', kind: 'seconds', seconds: 15, hotkey: 'Control+F9' },
        { ...preset, id: 'new', kind: 'since-last-save', hotkey: 'F10' },
        { ...preset, id: 'all', kind: 'all', format: 'mkv', hotkey: 'Control+Shift+F10' },
        { ...preset, id: 'gif', label: 'For the chat', kind: 'seconds', seconds: 8, format: 'gif' },
        { ...preset, id: 'stint', label: 'Whole stint, then start anew', kind: 'all', clear: true },
      ],
    },
    hotkeys: [
      ...live.hotkeys,
      { id: 'short', state: 'active', accelerator: 'Control+F9' },
      { id: 'new', state: 'active', accelerator: 'F10' },
      { id: 'all', state: 'active', accelerator: 'Control+Shift+F10' },
      { id: 'gif', state: 'off' },
      { id: 'stint', state: 'off' },
    ],
    saves: [
      { ...job, id: 'save-1', askedSeconds: 60, bytesWritten: 1500 },
      { ...job, id: 'save-2', askedSeconds: 15, bytesWritten: 3900 },
    ],
    marks: [
      { id: 'mark-1', label: 'Overtake at Les Combes', at: (old?.from ?? 0) + 9, epoch: old?.id ?? 0 },
      { id: 'mark-2', label: 'Mark 2', at: (newest?.from ?? 0) + 20, epoch: newest?.id ?? 0 },
      { id: 'mark-3', label: 'Mark 3', at: (newest?.to ?? 0) - 1, epoch: newest?.id ?? 0 },
    ],
  };
};

const reader = (id: string) => ({ id, path: '/live/test', address: '127.0.0.1', since: nowSeconds(), own: false });

/** Others publish and read, a reader is slow, and the stream is pushed to servers in every state. */
export const busyStream = (): StudioState => {
  const since = nowSeconds() - 320;
  const at = { path: '/live/test', address: '127.0.0.1', since, own: false };
  const h264 = { videoCodec: 'h264', audioCodec: 'aac', width: 1280, height: 720, fps: 29.97, kbps: 5900 };
  const target = { enabled: true, hasKey: true, since, attempt: 0, kbps: null, skips: 0 };
  return {
    ...liveState(),
    settings: { ...DEFAULT_SETTINGS, playKey: 'not-for-everyone' },
    rtmp: {
      state: 'up',
      url: 'rtmp://127.0.0.1:1935/live/test',
      publishers: [
        { ...at, ...h264, id: 'p1', own: true, client: 'FMLE/3.0 (compatible; Lavf59.27.100)' },
        { ...at, ...h264, id: 'p2', path: '/live/phone', client: 'Larix Broadcaster 1.3', address: '127.0.0.1:50022' },
      ],
      readers: [
        { ...at, id: 'r1', kbps: 5900, client: 'LNX 9,0,124,2' },
        { ...at, id: 'r2', kbps: 1200, skippedGops: 4 },
      ],
    },
    push: [
      { ...target, id: 'a', name: 'Twitch', url: 'rtmp://live.twitch.tv/app', state: 'live', kbps: 5900 },
      {
        ...target,
        id: 'b',
        name: 'YouTube',
        url: 'rtmps://a.rtmps.youtube.com:443/live2',
        state: 'retrying',
        attempt: 3,
        error: {
          code: 'push-failed',
          message: 'YouTube refused the stream key.',
          remedy: 'Copy the key again from YouTube Studio and enter it here.',
        },
      },
      {
        ...target,
        id: 'c',
        name: 'The media server in the club house, behind the second door',
        url: 'srt://media.example.org:8890?streamid=publish:club-house-endurance-race-camera-one',
        state: 'off',
        enabled: false,
        hasKey: false,
      },
    ],
  };
};

export const liveState = (): StudioState => ({
  ...idleState(),
  session: liveSession(),
  health: GOOD_HEALTH,
  replay: replayHolding(94),
  rtmp: {
    state: 'up',
    url: 'rtmp://127.0.0.1:1935/live/test',
    publishers: [reader('p')],
    readers: [reader('r1'), reader('r2')],
  },
  clips: CLIPS(),
});
