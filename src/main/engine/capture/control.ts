import { StudioError, type PictureSize, type Source, type StartCapture } from '../../../contract/index.ts';
import type { EncoderLine, EncoderWish } from '../encoders/line.ts';
import { kindOf } from '../encoders/table.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { IntentQueue } from '../intents.ts';
import type { AccessUnit } from '../replay/accessUnit.ts';
import type { CaptureBackend, GrabbingBackend, NextMethod } from './backend.ts';
import { selectSource, sortSources } from './select.ts';
import { CaptureSession, type Session, type SessionDeps } from './session.ts';
import type { SessionFacts } from './status.ts';

export type CaptureControlDeps = {
  backends: readonly CaptureBackend[];
  tools: FfmpegTools;
  intents: IntentQueue;
  /** the user's settings when a capture starts */
  picture: () => EncoderWish & { pictureSize: PictureSize };
  encoders: (wish: EncoderWish, ffmpeg: Ffmpeg) => Promise<EncoderLine>;
  session: Omit<SessionDeps, 'ffmpeg' | 'backend'>;
  onSources: (sources: Source[]) => void;
  /** a capture was asked for and the source exists */
  onChosen: (source: Source) => Promise<void>;
  /** a capture that had been live ended in failure */
  onFailed: (error: NonNullable<SessionFacts['error']>) => void;
  /** Errors: `publisher-busy` while another program holds the live address that this source would take. */
  mayStart: (source: Source) => void;
  onChange: () => void;
};

/** Start and Stop as the user means them: strictly one after another, the last wish wins, at most one capture. */
export class CaptureControl {
  readonly #deps: CaptureControlDeps;
  readonly #closing = new AbortController();
  #session: Session | undefined;
  /** what the user last wanted: an earlier Start still in the queue gives way to it */
  #wish: { start: string } | 'stop' = 'stop';

  constructor(deps: CaptureControlDeps) {
    this.#deps = deps;
  }

  get facts(): SessionFacts | undefined {
    return this.#session?.facts;
  }

  /** Called for every picture that entered the ring. */
  notePicture(picture: AccessUnit): void {
    this.#session?.notePicture(picture);
  }

  backendOf(id: string): CaptureBackend | undefined {
    return this.#deps.backends.find((backend) => backend.owns(id));
  }

  async listSources(): Promise<Source[]> {
    const { backends, tools } = this.#deps;
    const lists = await Promise.all(
      backends.map(async (backend) => backend.list(this.#closing.signal, async () => tools.get())),
    );
    const sources = sortSources(lists.flat());
    this.#deps.onSources(sources);
    return sources;
  }

  /**
   * Resolves with the first picture, or at once for a source that another program sends. The same source again changes nothing; another one replaces it.
   * Errors: `unknown-source`, `source-unavailable`, `publisher-busy`, `ffmpeg-missing`, what `Session.started` says; `cancelled` when a
   * later wish came first.
   */
  async start(request: StartCapture): Promise<void> {
    const wish = { start: request.source };
    this.#wish = wish;
    await this.#deps.intents.run(async () => {
      if (this.#wish === 'stop' || this.#wish.start !== wish.start) throw superseded();
      const sources = await this.listSources();
      const source = this.#awaited(request.source, sources) ?? selectSource(request.source, sources);
      const current = this.#session;
      const same = current?.sourceId === source.id && (current.suits?.(request) ?? true);
      if (current && same && current.facts.phase !== 'ended') {
        await current.started;
        return;
      }
      this.#deps.mayStart(source);
      await current?.stop();
      const session = await this.#open(source, request);
      await this.#deps.onChosen(source);
      await session.started;
    });
  }

  /** See `Session.renew`. */
  renew(reason: StudioError): void {
    this.#session?.renew?.(reason);
  }

  /** See `Session.switchMethod`. */
  switchMethod(): NextMethod | undefined {
    return this.#session?.switchMethod?.();
  }

  /** Resolves when nothing of the capture is left. The replay is not touched. */
  async stop(): Promise<void> {
    this.#wish = 'stop';
    // a start that waits for its first picture must not keep Stop waiting
    const stopped = this.#session?.stop();
    await this.#deps.intents.run(async () => {
      await stopped;
      await this.#session?.stop();
      this.#session = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.stop();
    await Promise.all(this.#deps.backends.map(async (backend) => backend.close()));
  }

  /** A source that is not there yet and may be waited for. */
  #awaited(selector: string, sources: readonly Source[]): Source | undefined {
    if (sources.some(({ id }) => id === selector)) return undefined;
    for (const backend of this.#deps.backends) {
      const source = 'receive' in backend ? backend.awaited?.(selector) : undefined;
      if (source) return source;
    }
    return undefined;
  }

  async #open(source: Source, request: StartCapture): Promise<Session> {
    const backend = this.backendOf(source.id);
    if (!backend) {
      throw new StudioError(
        'unknown-source',
        `There is no source "${request.source}".`,
        'Refresh the list and choose again.',
      );
    }
    const session =
      'receive' in backend ? backend.receive(source, this.#deps.session) : await this.#grab(source, backend, request);
    this.#session = session;
    void session.ended.then((error) => {
      // a capture that never was live has somebody waiting for its start, who is told there
      if (error && session.wasLive) this.#deps.onFailed(error);
      this.#deps.onChange();
    });
    this.#deps.onChange();
    return session;
  }

  async #grab(source: Source, backend: GrabbingBackend, asked: StartCapture): Promise<CaptureSession> {
    const ffmpeg = await this.#deps.tools.get();
    const set = this.#deps.picture();
    // a codec asked for alone is not meant for the encoder that the settings name
    const encoder = asked.encoder ?? (asked.codec === undefined ? set.encoder : 'auto');
    const wish: EncoderWish = {
      fps: asked.fps ?? set.fps,
      encoder,
      codec: encoder === 'auto' ? (asked.codec ?? set.codec) : kindOf(encoder).codec,
      quality: asked.quality ?? set.quality,
      bitrateKbps: asked.bitrateKbps === undefined ? set.bitrateKbps : asked.bitrateKbps,
    };
    const encoders = await this.#deps.encoders(wish, ffmpeg);
    const pictureSize = asked.pictureSize ?? set.pictureSize;
    return new CaptureSession({ source, pictureSize, encoders }, { ...this.#deps.session, ffmpeg, backend });
  }
}

const superseded = (): StudioError =>
  new StudioError(
    'cancelled',
    'Something else was asked for before this could start.',
    'Press Start again if you want it.',
  );
