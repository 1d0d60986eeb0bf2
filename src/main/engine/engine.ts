import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  StudioError,
  type HotkeyStatus,
  type Problem,
  type SaveAnswer,
  type SaveRequest,
  type SessionState,
  type Settings,
  type SettingsPatch,
  type Source,
  type StartCapture,
  type StudioState,
} from '../../contract/index.ts';
import type { CaptureBackend } from './capture/backend.ts';
import { selectSource, sortSources } from './capture/select.ts';
import { CaptureSession } from './capture/session.ts';
import { deriveSession } from './capture/status.ts';
import { Thumbnails, thumbnailArgs } from './capture/thumbnails.ts';
import { ClipLibrary, removeStalePartials } from './clips/library.ts';
import { PARTIAL_PREFIX, saveClips } from './clips/save.ts';
import { locateFfmpeg, type Ffmpeg } from './ffmpeg/locate.ts';
import { SteadyProblems, deriveHealth } from './health/health.ts';
import { ByteRate, RateWindow } from './health/window.ts';
import type { Host, HotkeyRegistration } from './host.ts';
import { IntentQueue } from './intents.ts';
import type { Log } from './logging/log.ts';
import { PreviewHub } from './preview/hub.ts';
import { runToEnd } from './process/child.ts';
import { ReplayRing } from './replay/ring.ts';
import { RtmpService } from './rtmp/service.ts';
import type { SettingsStore } from './settings/store.ts';
import { StateStore } from './state-store.ts';
import type { Studio } from './studio.ts';

export type EngineOptions = {
  version: string;
  host: Host;
  log: Log;
  settings: SettingsStore;
  /** bounds from the command line, which win over the settings while the program runs */
  overrides: Partial<Pick<Settings, 'replaySeconds' | 'replayMegabytes'>>;
  dataFolder: string;
  clipsFolder: string;
  rtmpPort: number;
  /** the built module of the RTMP host process */
  rtmpHostModule: string;
  backends: readonly CaptureBackend[];
  env: NodeJS.ProcessEnv;
};

const TICK_MS = 250;
const MIB = 1024 * 1024;
const MAX_SAVES = 8;

const clock = (): number => performance.now() / 1000;
const unixNow = (): number => Date.now() / 1000;

/**
 * Owns all state: composes ring, capture, RTMP, clips and health, takes intents one after another, and derives what clients
 * see. It knows its shell only through `Host`.
 */
export class Engine implements Studio {
  readonly #options: EngineOptions;
  readonly #log: Log;
  readonly #ring: ReplayRing;
  readonly #rtmp: RtmpService;
  readonly #library: ClipLibrary;
  readonly #preview: PreviewHub;
  readonly #thumbnails = new Thumbnails();
  readonly #rates = new RateWindow();
  readonly #byteRate = new ByteRate();
  readonly #steady = new SteadyProblems();
  readonly #intents = new IntentQueue();
  readonly #closing = new AbortController();
  readonly #saves = new Map<string, { askedSeconds: number; startedAt: number }>();
  readonly #standing = new Map<Problem['code'], Problem>();
  readonly store: StateStore;
  #settings: Settings;
  #ffmpeg: Ffmpeg | undefined;
  #session: CaptureSession | undefined;
  #hotkey: HotkeyStatus = { state: 'off' };
  #registration: HotkeyRegistration | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #nextSave = 1;
  /** what the user last wanted: an earlier Start still in the queue gives way to it */
  #wish: { start: string } | 'stop' = 'stop';

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log.child({ part: 'engine' });
    this.#settings = { ...options.settings.current, ...options.overrides };
    const bounds = this.#bounds();
    this.#ring = new ReplayRing({
      ...bounds,
      onProblem: (problem) => {
        this.#log.warn({ problem }, 'replay ring');
        this.#standing.set('ring-overflow', RING_OVERFLOW);
      },
    });
    this.#ring.onAccessUnit(() => this.#session?.notePicture());
    this.#preview = new PreviewHub(this.#ring);
    this.#rtmp = new RtmpService({
      port: options.rtmpPort,
      streamKey: this.#settings.streamKey,
      start: (port) => options.host.forkNode(options.rtmpHostModule, [String(port)]),
      log: options.log.child({ part: 'rtmp' }),
      onChange: () => this.refresh(),
    });
    this.#library = new ClipLibrary({
      index: path.join(options.dataFolder, 'clips.json'),
      folder: options.clipsFolder,
      log: options.log.child({ part: 'clips' }),
      moveToTrash: async (file) => options.host.moveToTrash(file),
      onChange: () => this.store.update({ clips: [...this.#library.clips] }),
    });
    this.store = new StateStore({
      app: {
        version: options.version,
        shell: options.host.shell,
        platform: process.platform,
        clipsFolder: options.clipsFolder,
        httpUrl: '',
      },
      session: { state: 'idle' },
      sources: [],
      health: deriveHealth({
        session: { state: 'idle' },
        rates: this.#rates.read(0),
        bitrateKbps: null,
        rtmp: { state: 'starting' },
        hotkey: this.#hotkey,
        steadySince: undefined,
        now: 0,
        standing: [],
      }),
      replay: this.#ring.status(),
      saves: [],
      rtmp: this.#rtmp.status,
      clips: [],
      settings: this.#settings,
      hotkey: this.#hotkey,
    });
    if (options.settings.wasReset) {
      this.#standing.set('settings-reset', {
        code: 'settings-reset',
        severity: 'warning',
        message: 'The settings file could not be understood, so the defaults are in force.',
        remedy: 'The old file is kept beside it as settings.json.bak.',
      });
    }
  }

  get state(): StudioState {
    return this.store.state;
  }

  get preview(): PreviewHub {
    return this.#preview;
  }

  /** Starts what runs all the time. Never rejects: what fails shows as a problem with its remedy. */
  async start(httpUrl: string): Promise<void> {
    const { backends, clipsFolder } = this.#options;
    this.store.update({ app: { ...this.state.app, httpUrl } });
    for (const backend of backends) {
      backend.onChanged(
        () =>
          void this.refreshSources().catch((error: unknown) =>
            this.#log.warn({ err: error }, 'listing sources failed'),
          ),
      );
    }
    await Promise.all([
      this.#rtmp.start(),
      this.refreshSources(),
      this.#library.load(),
      this.#findFfmpeg(),
      this.#bindHotkey(),
    ]);
    this.store.update({ clips: [...this.#library.clips] });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.refresh();
    const tools = this.#ffmpeg;
    await removeStalePartials(clipsFolder, PARTIAL_PREFIX, Date.now());
    if (tools) {
      this.#library.discover(tools, this.#closing.signal).catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#log.warn({ err: error }, 'looking for clips failed');
      });
    }
  }

  /** Stops everything that was started; the ring dies with the process. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#ticker);
    await this.stopCapture();
    await Promise.all([
      this.#registration?.release(),
      this.#rtmp.stop(),
      ...this.#options.backends.map(async (backend) => backend.close()),
    ]);
  }

  refresh(): void {
    const now = unixNow();
    const facts = this.#session?.facts;
    const session = deriveSession(facts, now);
    const rtmp = this.#rtmp.status;
    const health = deriveHealth({
      session,
      rates: this.#rates.read(clock()),
      bitrateKbps: this.#byteRate.kbps(),
      rtmp,
      hotkey: this.#hotkey,
      steadySince: facts?.steadySince,
      now,
      standing: [...this.#standing.values()],
    });
    this.store.update({
      session,
      rtmp,
      replay: this.#ring.status(),
      saves: [...this.#saves].map(([id, save]) => ({ id, ...save })),
      settings: this.#settings,
      hotkey: this.#hotkey,
      health: { ...health, problems: this.#steady.filter(health.problems, now) },
    });
  }

  async refreshSources(): Promise<Source[]> {
    const lists = await Promise.all(this.#options.backends.map(async (backend) => backend.list(this.#closing.signal)));
    const sources = sortSources(lists.flat());
    this.store.update({ sources });
    return sources;
  }

  async sourceThumbnail(id: string, signal: AbortSignal): Promise<Uint8Array> {
    const source = this.state.sources.find((candidate) => candidate.id === id);
    if (!source) throw new StudioError('not-found', 'There is no such source.', 'Refresh the list.');
    const ready = await this.#options.host.thumbnails?.(signal);
    const given = ready?.get(id);
    if (given) return given;
    const input = this.#options.backends.find((backend) => backend.owns(id))?.thumbnailInput(source);
    return this.#thumbnails.get(id, input, await this.#tools(), signal);
  }

  async startCapture(request: StartCapture): Promise<SessionState> {
    const wish = { start: request.source };
    this.#wish = wish;
    return this.#intents.run(async () => {
      if (this.#wish === 'stop' || this.#wish.start !== wish.start) throw superseded();
      const source = selectSource(request.source, await this.refreshSources());
      const current = this.#session;
      if (current?.sourceId === source.id && request.fps === undefined && current.facts.phase !== 'ended') {
        await current.firstPicture;
        return this.#settled();
      }
      await current?.stop();
      const session = await this.#openSession(source, request);
      await this.#options.settings
        .update({ lastSource: source.kind === 'window' ? `window:${source.name}` : source.id })
        .catch((error: unknown) => {
          this.#log.warn({ err: error }, 'the last source could not be remembered');
        });
      await session.firstPicture;
      return this.#settled();
    });
  }

  async stopCapture(): Promise<SessionState> {
    this.#wish = 'stop';
    // a start that waits for its first picture must not keep Stop waiting
    const stopped = this.#session?.stop();
    return this.#intents.run(async () => {
      await stopped;
      await this.#session?.stop();
      this.#session = undefined;
      this.#rates.reset();
      this.#byteRate.reset();
      return this.#settled();
    });
  }

  async saveReplay(request: SaveRequest): Promise<SaveAnswer> {
    const askedSeconds =
      request.seconds ??
      (request.from !== undefined || request.to !== undefined ? undefined : this.#settings.saveSeconds);
    const selection =
      askedSeconds === undefined
        ? { from: request.from ?? 0, to: request.to ?? unixNow() }
        : { lastSeconds: askedSeconds };
    if (this.#saves.size >= MAX_SAVES)
      throw new StudioError(
        'conflict',
        'Several saves are already under way.',
        'Wait for them to finish, then save again.',
      );
    // the snapshot comes first: what the user saw when they pressed is what they get, however long the rest takes
    const snapshots = this.#ring.snapshot(selection);
    const id = `save-${this.#nextSave++}`;
    const length =
      askedSeconds ??
      Math.max(0, Math.min(request.to ?? unixNow(), unixNow()) - Math.max(request.from ?? 0, snapshots[0]?.from ?? 0));
    this.#saves.set(id, { askedSeconds: length, startedAt: unixNow() });
    this.refresh();
    try {
      if (snapshots.length === 0) throw this.#nothingHeld(askedSeconds === undefined);
      const { answer, clips } = await saveClips({
        tools: await this.#tools(),
        folder: this.#options.clipsFolder,
        snapshots,
        askedSeconds: length,
        now: unixNow,
        signal: this.#closing.signal,
      });
      await this.#library.add(clips);
      this.#log.info(
        { clips: answer.clips.map((clip) => clip.path), seconds: answer.seconds, asked: answer.askedSeconds },
        'replay saved',
      );
      this.store.notify({
        type: 'clip-saved',
        clips,
        askedSeconds: answer.askedSeconds,
        seconds: answer.seconds,
        ...(answer.reason === undefined ? {} : { reason: answer.reason }),
      });
      return answer;
    } catch (thrown) {
      for (const snapshot of snapshots) snapshot.release();
      if (thrown instanceof StudioError) {
        this.#log.warn({ err: thrown }, `save failed: ${thrown.message}`);
        this.store.notify({ type: 'save-failed', error: thrown.toInfo() });
      }
      throw thrown;
    } finally {
      this.#saves.delete(id);
      this.refresh();
    }
  }

  async clearReplay(): Promise<void> {
    this.#ring.clear();
    this.#standing.delete('ring-overflow');
    this.refresh();
    return Promise.resolve();
  }

  async refreshClips(): Promise<void> {
    await this.#library.refresh();
  }

  async clip(id: string): ReturnType<ClipLibrary['get']> {
    return this.#library.get(id);
  }

  async clipThumbnail(id: string, signal: AbortSignal): Promise<string> {
    const clip = await this.#library.get(id);
    const folder = path.join(this.#options.dataFolder, 'thumbnails');
    const file = path.join(folder, `${clip.id}.jpg`);
    if (await stat(file).catch(() => undefined)) return file;
    await mkdir(folder, { recursive: true });
    const { ffmpeg } = await this.#tools();
    const args = [
      ...thumbnailArgs(['-ss', String(Math.min(1, clip.seconds / 2)), '-i', clip.path]).slice(0, -1),
      '-y',
      file,
    ];
    const { code } = await runToEnd(ffmpeg, args, { timeoutMs: 10_000, signal });
    if (code !== 0) throw new StudioError('not-found', 'There is no picture of this clip.', 'It can still be played.');
    return file;
  }

  async deleteClip(id: string): Promise<void> {
    await this.#library.delete(id);
  }

  async revealClip(id: string): Promise<void> {
    const clip = await this.#library.get(id);
    await this.#options.host.revealFile(clip.path);
  }

  async openClipsFolder(): Promise<void> {
    const { clipsFolder, host } = this.#options;
    await mkdir(clipsFolder, { recursive: true }).catch(() => undefined);
    await host.openFolder(clipsFolder);
  }

  async updateSettings(patch: SettingsPatch): Promise<Settings> {
    return this.#intents.run(async () => {
      const before = this.#settings;
      this.#settings = { ...(await this.#options.settings.update(patch)), ...this.#remainingOverrides(patch) };
      const now = this.#settings;
      if (now.replaySeconds !== before.replaySeconds || now.replayMegabytes !== before.replayMegabytes)
        this.#ring.resize(this.#bounds());
      if (now.saveHotkey !== before.saveHotkey) await this.#bindHotkey();
      if (now.streamKey !== before.streamKey) this.#rtmp.setStreamKey(now.streamKey);
      this.refresh();
      return now;
    });
  }

  /** A setting the user changes in the UI is meant: it ends the command line's override of the same one. */
  #remainingOverrides(patch: SettingsPatch): EngineOptions['overrides'] {
    const { overrides } = this.#options;
    if (patch.replaySeconds !== undefined) delete overrides.replaySeconds;
    if (patch.replayMegabytes !== undefined) delete overrides.replayMegabytes;
    return overrides;
  }

  async #openSession(source: Source, request: StartCapture): Promise<CaptureSession> {
    const backend = this.#options.backends.find((candidate) => candidate.owns(source.id));
    if (!backend)
      throw new StudioError(
        'unknown-source',
        `There is no source "${request.source}".`,
        'Refresh the list and choose again.',
      );
    const ffmpeg = await this.#tools();
    const session = new CaptureSession(
      { source, fps: request.fps ?? this.#settings.fps, pictureSize: this.#settings.pictureSize },
      {
        ffmpeg,
        backend,
        ring: this.#ring,
        log: this.#options.log.child({ part: 'capture' }),
        rtmpUrl: () => this.#rtmp.publishUrl(),
        clock,
        now: unixNow,
        onProgress: (block) => this.#rates.add(clock(), block),
        onRestart: () => this.#rates.reset(),
        onChange: () => this.refresh(),
        onRecovered: (message) => this.store.notify({ type: 'capture-recovered', message }),
      },
    );
    this.#session = session;
    this.#watchForFailure(session);
    this.refresh();
    return session;
  }

  /** A capture that was live and failed later has nobody waiting for its start: tell everybody once. */
  #watchForFailure(session: CaptureSession): void {
    void session.ended.then((error) => {
      if (error && session.wasLive) this.store.notify({ type: 'capture-failed', error });
      this.refresh();
    });
  }

  #settled(): SessionState {
    this.refresh();
    return this.state.session;
  }

  #nothingHeld(range: boolean): StudioError {
    if (range && this.#ring.status().bytesHeld > 0) {
      return new StudioError(
        'range-not-held',
        'Nothing of that time is in the buffer.',
        'Choose a time within what is held; see replay in GET /api/status.',
      );
    }
    return new StudioError(
      'buffer-empty',
      'There is nothing in the replay buffer yet.',
      'Start streaming first; the buffer fills as soon as pictures arrive.',
    );
  }

  async #tools(): Promise<Ffmpeg> {
    // looked for again each time while missing: it may just have been installed
    this.#ffmpeg ??= await locateFfmpeg(this.#options.env, this.#log);
    if (this.#standing.delete('ffmpeg-missing')) this.refresh();
    return this.#ffmpeg;
  }

  async #findFfmpeg(): Promise<void> {
    try {
      await this.#tools();
    } catch (thrown) {
      if (!(thrown instanceof StudioError)) throw thrown;
      this.#log.warn({ err: thrown }, thrown.message);
      this.#standing.set('ffmpeg-missing', {
        code: 'ffmpeg-missing',
        severity: 'error',
        message: thrown.message,
        remedy: thrown.remedy,
      });
    }
  }

  async #bindHotkey(): Promise<void> {
    await this.#registration?.release();
    this.#registration = undefined;
    const accelerator = this.#settings.saveHotkey;
    const { hotkeys } = this.#options.host;
    if (accelerator === '' || hotkeys === null) {
      this.#hotkey = { state: 'off' };
      return;
    }
    try {
      this.#registration = await hotkeys.register(accelerator, () => this.#onSaveKey());
      this.#hotkey = { state: 'active', accelerator };
    } catch (thrown) {
      const error =
        thrown instanceof StudioError
          ? thrown
          : new StudioError(
              'hotkey-unavailable',
              `The key ${accelerator} cannot be used.`,
              'Choose another key in the settings.',
              { cause: thrown },
            );
      this.#log.warn({ err: error }, error.message);
      this.#hotkey = { state: 'unavailable', accelerator, error: error.toInfo() };
    }
  }

  #onSaveKey(): void {
    this.saveReplay({}).then(
      (answer) => this.#options.host.notify('Replay saved', `${answer.seconds.toFixed(0)} s`),
      (thrown: unknown) => {
        const error = thrown instanceof StudioError ? thrown : undefined;
        if (!error) this.#log.error({ err: thrown }, 'a save by hotkey failed');
        this.#options.host.notify('Replay not saved', error ? `${error.message} ${error.remedy}` : 'See the log.');
      },
    );
  }

  #bounds(): { maxBytes: number; maxSeconds: number } {
    return { maxBytes: this.#settings.replayMegabytes * MIB, maxSeconds: this.#settings.replaySeconds };
  }

  #tick(): void {
    this.#byteRate.add(clock(), this.#ring.totalBytes);
    this.refresh();
  }
}

const superseded = (): StudioError =>
  new StudioError(
    'cancelled',
    'Something else was asked for before this could start.',
    'Press Start again if you want it.',
  );

const RING_OVERFLOW: Problem = {
  code: 'ring-overflow',
  severity: 'warning',
  message: 'The pictures between two keyframes were larger than the whole replay buffer, so they were dropped.',
  remedy: 'Give the replay buffer more memory in the settings, or let the source send keyframes more often.',
};
