import path from 'node:path';
import {
  StudioError,
  type Mark,
  type Problem,
  type PushTargetRequest,
  type SaveAnswer,
  type SaveRequest,
  type SessionState,
  type Settings,
  type SettingsPatch,
  type SetupReport,
  type Source,
  type StartCapture,
  type StudioState,
} from '../../contract/index.ts';
import { Sound } from './audio/sound.ts';
import { audioDevices } from './audio/systems.ts';
import type { CaptureBackend } from './capture/backend.ts';
import { CaptureControl } from './capture/control.ts';
import { FollowGame } from './capture/follow.ts';
import { deriveSession } from './capture/status.ts';
import { Thumbnails } from './capture/thumbnails.ts';
import { ClipDesk } from './clips/desk.ts';
import { ClipLibrary, removeStalePartials } from './clips/library.ts';
import { PARTIAL_PREFIX } from './clips/save.ts';
import { Saves } from './clips/saves.ts';
import { Encoders } from './encoders/encoders.ts';
import { FfmpegTools } from './ffmpeg/tools.ts';
import { encoderInUse } from './health/encoder.ts';
import { HealthMonitor } from './health/monitor.ts';
import type { Host } from './host.ts';
import { StudioKeys } from './hotkeys/studio-keys.ts';
import { IntentQueue } from './intents.ts';
import type { Log } from './logging/log.ts';
import { Marks } from './marks/marks.ts';
import { BrowserPictures } from './preview/browser-pictures.ts';
import { MIRROR_FOLDER } from './mirror/layout.ts';
import { Mirror } from './mirror/mirror.ts';
import { MirroredRing } from './mirror/mirrored-ring.ts';
import { Recovery } from './mirror/recovery.ts';
import { PreviewHub } from './preview/hub.ts';
import type { ReplayRing } from './replay/ring.ts';
import { LiveAddress } from './rtmp/live-address.ts';
import type { SecretStore } from './settings/secrets.ts';
import type { SettingsStore } from './settings/store.ts';
import { SetupTest } from './setup-test/setup-test.ts';
import { StateStore } from './state-store.ts';
import type { Studio } from './studio.ts';
import { GopThumbnails } from './transcode/gop-thumbnails.ts';

export type EngineOptions = {
  version: string;
  host: Host;
  log: Log;
  settings: SettingsStore;
  secrets: SecretStore;
  /** bounds from the command line, which win over the settings until the user changes them */
  overrides: Partial<Pick<Settings, 'replaySeconds' | 'replayMegabytes' | 'followGame' | 'lastSource'>>;
  dataFolder: string;
  clipsFolder: string;
  rtmpPort: number;
  /** the built module of the RTMP host process */
  rtmpHostModule: string;
  backends: readonly CaptureBackend[];
  env: NodeJS.ProcessEnv;
};

const TICK_MS = 250;
/** Looking for windows where the system does not tell of them costs a helper process each time. */
const SILENT_POLL_MS = 3000;
const MIB = 1024 * 1024;

const clock = (): number => performance.now() / 1000;
const unixNow = (): number => Date.now() / 1000;

/**
 * The composition root: builds ring, capture, RTMP, clips and health, binds the user's intents to them, and derives what
 * clients see. It knows its shell only through `Host`.
 */
export class Engine implements Studio {
  readonly store: StateStore;
  readonly preview: PreviewHub;
  readonly clips: ClipDesk;
  readonly #options: EngineOptions;
  readonly #log: Log;
  readonly #ring: MirroredRing;
  readonly #mirror: Mirror;
  readonly #recovery: Recovery;
  readonly #encoders: Encoders;
  readonly #capture: CaptureControl;
  readonly #follow: FollowGame;
  readonly #live: LiveAddress;
  readonly #library: ClipLibrary;
  readonly #saves: Saves;
  readonly #tools: FfmpegTools;
  readonly #keys: StudioKeys;
  readonly #marks = new Marks();
  readonly #thumbnails = new Thumbnails();
  readonly #pictures: BrowserPictures;
  readonly #gopThumbnails: GopThumbnails;
  readonly #health: HealthMonitor;
  readonly #sound: Sound;
  readonly #setupTest: SetupTest;
  readonly #intents = new IntentQueue();
  readonly #closing = new AbortController();
  #settings: Settings;
  #overflowed = false;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    const { host, log, clipsFolder, dataFolder } = options;
    this.#options = options;
    this.#log = log.child({ part: 'engine' });
    this.#settings = { ...options.settings.current, ...options.overrides };
    const onChange = (): void => this.refresh();
    const onCapture = (): void => {
      this.#encoders.setCapturing(this.#isCapturing());
      // a stream goes before a measurement
      if (this.#isCapturing()) void this.#setupTest.cancel();
      this.#live.follow(this.#capture.facts);
      this.refresh();
      this.#follow.changed();
    };
    this.#ring = new MirroredRing({
      ...this.#bounds(),
      onProblem: (problem) => {
        this.#log.warn({ problem }, 'replay ring');
        if (problem.code === 'ring-overflow') this.#overflowed = true;
      },
    });
    this.#health = new HealthMonitor({
      platform: process.platform,
      clock,
      log: log.child({ part: 'health' }),
      folders: () => [
        { name: 'the clips folder', folder: clipsFolder },
        { name: 'the data folder', folder: dataFolder },
      ],
      clipSeconds: () => Math.max(...this.#settings.savePresets.map(({ seconds }) => seconds ?? 60)),
      onChange,
    });
    this.#ring.onAccessUnit((picture) => this.#capture.notePicture(picture));
    this.#tools = new FfmpegTools(options.env, this.#log, onChange);
    this.#pictures = new BrowserPictures({
      ring: this.#ring,
      tools: this.#tools,
      log: log.child({ part: 'preview' }),
      onChange,
    });
    this.preview = new PreviewHub(this.#pictures);
    this.#gopThumbnails = new GopThumbnails(this.#ring);
    this.#live = new LiveAddress({
      port: options.rtmpPort,
      start: (port) => host.forkNode(options.rtmpHostModule, [String(port)]),
      settings: () => this.#settings,
      ring: this.#ring,
      tools: this.#tools,
      liveUrl: () => `${this.state.app.httpUrl}live.ts`,
      dataFolder,
      env: options.env,
      pushKeys: options.secrets,
      savePushTargets: async (pushTargets) => {
        await options.settings.update({ pushTargets });
        this.#settings = { ...this.#settings, pushTargets };
      },
      log,
      clock,
      now: unixNow,
      onChange,
    });
    this.#library = new ClipLibrary({
      index: path.join(dataFolder, 'clips.json'),
      folders: () => this.#clipsFolders(),
      log: log.child({ part: 'clips' }),
      moveToTrash: async (file) => host.moveToTrash(file),
      onChange,
    });
    this.clips = new ClipDesk({ library: this.#library, tools: this.#tools, host, dataFolder, clipsFolder });
    const mirror = path.join(dataFolder, MIRROR_FOLDER);
    this.#mirror = new Mirror({ ring: this.#ring, folder: mirror, log: log.child({ part: 'mirror' }), onChange });
    this.#recovery = new Recovery({
      folder: mirror,
      isOwn: (run) => this.#mirror.isOwn(run),
      tools: this.#tools,
      library: this.#library,
      folders: () => this.#clipsFolders(),
      log: log.child({ part: 'recovery' }),
      notify: (notice) => this.store.notify(notice),
      onChange,
    });
    this.#saves = new Saves({
      ring: this.#ring,
      tools: this.#tools,
      library: this.#library,
      folders: () => this.#clipsFolders(),
      marks: () => this.#marks.list,
      log: log.child({ part: 'save' }),
      defaultSeconds: () => this.#settings.savePresets.find(({ kind }) => kind === 'seconds')?.seconds ?? 60,
      now: unixNow,
      notify: (notice) => this.store.notify(notice),
      onChange,
    });
    const soundLog = log.child({ part: 'sound' });
    this.#sound = new Sound({
      devices: audioDevices(process.platform, this.#tools, options.env, soundLog),
      tools: this.#tools,
      log: soundLog,
      settings: () => this.#settings.audio,
      clock,
      now: unixNow,
      onChange,
      onOtherPlan: () => this.#capture.renew(SOUND_CHANGED),
    });
    this.#encoders = new Encoders({
      platform: process.platform,
      ffmpeg: async () => this.#tools.get(),
      cacheFile: path.join(dataFolder, 'encoders.json'),
      log: log.child({ part: 'encoders' }),
      onChange,
    });
    this.#capture = new CaptureControl({
      backends: [...options.backends, this.#live.sources],
      tools: this.#tools,
      intents: this.#intents,
      picture: () => this.#settings,
      encoders: async (wish, ffmpeg) => this.#encoders.line(wish, ffmpeg),
      session: {
        ring: this.#ring,
        log: log.child({ part: 'capture' }),
        rtmpUrl: () => this.#live.server.publishUrl(),
        liveUrl: () => `${this.state.app.httpUrl}live.ts`,
        raisePriority: () => this.#settings.raisePriority,
        onEncoderFallback: ({ from, error, message }) => {
          this.#encoders.noteFailure(from, error);
          this.store.notify({ type: 'encoder-fallback', message });
        },
        clock,
        now: unixNow,
        onProgress: (block) => this.#health.noteProgress(block),
        onRestart: () => this.#health.restarted(),
        sound: () => this.#sound.plan(),
        watchPictures: this.#health.pictures,
        onChange: onCapture,
        onRecovered: (message) => this.store.notify({ type: 'capture-recovered', message }),
        endsWithSource: (id) => this.#follow.noteGone(id),
      },
      mayStart: (source) => this.#live.server.mustBeFree(source.id),
      onSources: (sources) => {
        this.store.update({ sources });
        this.#follow.changed();
      },
      onChosen: async (source) => {
        this.#follow.chosen(source);
        await this.#remember(source);
      },
      onFailed: (error) => this.store.notify({ type: 'capture-failed', error }),
      onChange: onCapture,
    });
    this.#follow = new FollowGame({
      enabled: () => this.#settings.followGame,
      sources: () => this.state.sources,
      session: () => this.state.session,
      refresh: async () => this.refreshSources(),
      start: async (source) => this.#capture.start({ source }),
      tell: (message) => this.store.notify({ type: 'capture-recovered', message }),
      log: log.child({ part: 'follow' }),
      pollMs: options.backends.some(({ silent }) => silent === true) ? SILENT_POLL_MS : null,
    });
    this.#keys = new StudioKeys({
      host,
      log: this.#log,
      save: async (request) => this.saveReplay(request),
      mark: async () => this.addMark(undefined),
    });
    this.#setupTest = new SetupTest({
      log: log.child({ part: 'setup-test' }),
      onChange,
      ffmpeg: async () => this.#tools.get(),
      capturing: () => this.#isCapturing(),
      settings: () => this.#settings,
      sources: async () => this.refreshSources(),
      backendOf: (id) => this.#capture.backendOf(id),
      encoders: this.#encoders,
      hotkeys: () => this.#keys.statuses,
      soundUnavailable: () => this.#sound.state.unavailable,
      rtmpServer: () => (this.#live.status.state === 'up' ? this.#live.server.server : null),
      clipsFolder,
      reportsFolder: path.join(dataFolder, 'reports'),
    });
    this.store = new StateStore({
      app: { version: options.version, shell: host.shell, platform: process.platform, clipsFolder, httpUrl: '' },
      sources: [],
      ...this.#derive(),
    });
  }

  get state(): StudioState {
    return this.store.state;
  }

  get ring(): ReplayRing {
    return this.#ring;
  }

  /** Starts what runs all the time. Never rejects: what fails shows as a problem with its remedy. */
  async start(httpUrl: string): Promise<void> {
    const { backends } = this.#options;
    this.store.update({ app: { ...this.state.app, httpUrl } });
    for (const backend of [...backends, this.#live.sources]) {
      backend.onChanged(() => {
        this.refreshSources().catch((error: unknown) => this.#log.warn({ err: error }, 'listing sources failed'));
      });
    }
    const [tools] = await Promise.all([
      this.#tools.get().catch(() => undefined), // shown as a problem, and looked for again when needed
      this.#live.start(),
      this.refreshSources(),
      this.#library.load(),
      this.#keys.bind(this.#settings),
      this.#applyMirror(),
      this.#sound.start(),
      ...this.#clipsFolders().map(async (folder) => removeStalePartials(folder, PARTIAL_PREFIX, Date.now())),
    ]);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#health.start();
    if (tools) await this.#encoders.start();
    this.refresh();
    this.#follow.begin();
    this.#recovery.find().catch((error: unknown) => this.#log.warn({ err: error }, 'looking for leftovers failed'));
    if (tools) {
      this.#library.discover(tools, this.#closing.signal).catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#log.warn({ err: error }, 'looking for clips failed');
      });
    }
  }

  /** Stops everything that was started; the ring dies with the process. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#setupTest.cancel();
    this.#follow.close();
    this.#saves.close();
    this.#recovery.close();
    clearInterval(this.#ticker);
    this.#health.close();
    await Promise.all([
      this.#capture.close().then(async () => this.#sound.close()),
      this.#encoders.close(),
      this.#live.close(),
      this.#keys.release(),
      this.#pictures.close(),
      this.clips.close(),
      this.#gopThumbnails.close(),
    ]);
    await this.#mirror.close();
    await this.#live.server.stop();
  }

  refresh(): void {
    this.store.update(this.#derive());
  }

  async refreshSources(): Promise<Source[]> {
    return this.#capture.listSources();
  }

  async sourceThumbnail(id: string, signal: AbortSignal): Promise<Uint8Array> {
    const source = this.state.sources.find((candidate) => candidate.id === id);
    if (!source) throw new StudioError('not-found', 'There is no such source.', 'Refresh the list.');
    const given = (await this.#options.host.thumbnails?.(signal))?.get(id);
    if (given) return given;
    const input = this.#capture.backendOf(id)?.thumbnailInput(source);
    return this.#thumbnails.get(id, input, await this.#tools.get(), signal);
  }

  async startCapture(request: StartCapture): Promise<SessionState> {
    await this.#capture.start(request);
    this.refresh();
    return this.state.session;
  }

  async stopCapture(): Promise<SessionState> {
    this.#follow.userStopped();
    await this.#capture.stop();
    this.#health.stopped();
    this.refresh();
    return this.state.session;
  }

  async saveReplay(request: SaveRequest): Promise<SaveAnswer> {
    return this.#saves.save(request);
  }

  async cancelSave(id: string): Promise<void> {
    this.#saves.cancel(id);
    return Promise.resolve();
  }

  async addMark(label: string | undefined): Promise<Mark> {
    const mark = this.#marks.add(label, this.#ring.status());
    this.refresh();
    return Promise.resolve(mark);
  }

  async deleteMark(id: string): Promise<void> {
    this.#marks.delete(id);
    this.refresh();
    return Promise.resolve();
  }

  async saveRecovery(): Promise<SaveAnswer> {
    return this.#recovery.save();
  }

  async discardRecovery(): Promise<void> {
    await this.#recovery.discard();
  }

  async clearReplay(): Promise<void> {
    this.#ring.clear();
    this.#overflowed = false;
    this.refresh();
    return Promise.resolve();
  }

  async replayThumbnail(at: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#gopThumbnails.get(at, async () => this.#tools.get(), signal);
  }

  async updateSettings(patch: SettingsPatch): Promise<Settings> {
    return this.#intents.run(async () => {
      const before = this.#settings;
      const stored = await this.#options.settings.update(patch);
      // a bound the user sets in the UI is meant: it ends the command line's override of the same one
      const { overrides } = this.#options;
      if (patch.replaySeconds !== undefined) delete overrides.replaySeconds;
      if (patch.replayMegabytes !== undefined) delete overrides.replayMegabytes;
      this.#settings = { ...stored, ...overrides };
      const now = this.#settings;
      if (now.replaySeconds !== before.replaySeconds || now.replayMegabytes !== before.replayMegabytes) {
        this.#ring.resize(this.#bounds());
      }
      await this.#applyMirror();
      this.#sound.settingsChanged();
      await this.#keys.bind(now);
      this.#live.applySettings();
      this.refresh();
      if (now.followGame !== before.followGame) this.#follow.changed();
      return now;
    });
  }

  async setPushTarget(request: PushTargetRequest): Promise<{ id: string }> {
    return this.#intents.run(async () => this.#live.push.set(request));
  }

  async enablePushTarget(id: string, enabled: boolean): Promise<void> {
    await this.#intents.run(async () => this.#live.push.enable(id, enabled));
  }

  async deletePushTarget(id: string): Promise<void> {
    await this.#intents.run(async () => this.#live.push.delete(id));
  }

  async testEncoders(): Promise<void> {
    await this.#encoders.testAll();
  }

  async runSetupTest(): Promise<SetupReport> {
    return this.#setupTest.run();
  }

  async cancelSetupTest(): Promise<void> {
    await this.#setupTest.cancel();
  }

  #isCapturing(): boolean {
    const { facts } = this.#capture;
    return facts !== undefined && facts.phase !== 'ended';
  }

  /** Everything that follows from the parts, derived in one place. */
  #derive(): Omit<StudioState, 'app' | 'sources'> {
    const now = unixNow();
    const { facts } = this.#capture;
    const session = deriveSession(facts, now);
    const rtmp = this.#live.status;
    const hotkeys = this.#keys.statuses;
    const replay = this.#ring.status();
    this.#marks.prune(replay);
    const push = this.#live.push.statuses;
    const health = this.#health.derive({
      session,
      rtmp,
      hotkeys,
      push,
      replay,
      steadySince: facts?.steadySince,
      encoder: facts && encoderInUse(facts),
      now,
      standing: [...(facts?.problems ?? []), ...this.#standingProblems()],
    });
    return {
      session,
      rtmp,
      hotkeys,
      health,
      replay,
      saves: this.#saves.jobs,
      marks: [...this.#marks.list],
      recovery: this.#recovery.info,
      push,
      encoders: [...this.#encoders.statuses],
      audio: this.#sound.state,
      setupTest: this.#setupTest.state,
      clips: [...this.#library.clips],
      settings: this.#settings,
    };
  }

  #standingProblems(): Problem[] {
    const ffmpeg = this.#tools.problem();
    const relay = this.#live.problem;
    const mirror = this.#mirror.problem;
    return [
      ...(ffmpeg ? [ffmpeg] : []),
      ...(relay ? [relay] : []),
      ...this.#pictures.problems,
      ...this.#sound.problems,
      ...(mirror ? [mirror] : []),
      ...(this.#overflowed ? [RING_OVERFLOW] : []),
      ...(this.#options.settings.wasReset ? [SETTINGS_RESET] : []),
    ];
  }

  async #remember(source: Source): Promise<void> {
    const lastSource = source.kind === 'window' ? `window:${source.name}` : source.id;
    try {
      await this.#options.settings.update({ lastSource });
      this.#settings = { ...this.#settings, lastSource };
    } catch (error) {
      this.#log.warn({ err: error }, 'the last source could not be remembered');
    }
  }

  /** The clips folder, and the one for when it cannot be written to. */
  #clipsFolders(): string[] {
    const { clipsFolder, dataFolder } = this.#options;
    const second = this.#settings.fallbackClipsFolder ?? path.join(dataFolder, 'clips');
    return [...new Set([clipsFolder, ...(second === '' ? [] : [path.resolve(second)])])];
  }

  async #applyMirror(): Promise<void> {
    await this.#mirror.set(this.#settings.mirror, this.#bounds().maxBytes);
  }

  #bounds(): { maxBytes: number; maxSeconds: number } {
    return { maxBytes: this.#settings.replayMegabytes * MIB, maxSeconds: this.#settings.replaySeconds };
  }

  #tick(): void {
    this.#health.noteBytes(this.#ring.totalBytes);
    this.#live.follow(this.#capture.facts);
    this.refresh();
  }
}

const SOUND_CHANGED = new StudioError(
  'capture-failed',
  'The sound to capture changed.',
  'The capture goes on by itself.',
);

const RING_OVERFLOW: Problem = {
  code: 'ring-overflow',
  severity: 'warning',
  message: 'The pictures between two keyframes were larger than the whole replay buffer, so they were dropped.',
  remedy: 'Give the replay buffer more memory in the settings, or let the source send keyframes more often.',
};

const SETTINGS_RESET: Problem = {
  code: 'settings-reset',
  severity: 'warning',
  message: 'The settings file could not be understood, so the defaults are in force.',
  remedy: 'The old file is kept beside it as settings.json.bak.',
};
