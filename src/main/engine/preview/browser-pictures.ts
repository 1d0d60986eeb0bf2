import type { Problem, StudioError } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import type { AccessUnit } from '../replay/accessUnit.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { LiveTranscode } from '../transcode/live-transcode.ts';
import type { PictureSource, PreviewPicture } from './hub.ts';

export type BrowserPicturesOptions = {
  ring: ReplayRing;
  tools: FfmpegTools;
  log: Log;
  /** other problems than before */
  onChange: () => void;
};

/** Without a picture from the source for so long, the transcode ends until there is one. */
const IDLE_MS = 5000;

/**
 * The ring's pictures as every browser can decode them: H.264 as it is, HEVC transcoded while somebody listens. A new epoch gets a new
 * transcode, for its picture may have another size.
 */
export class BrowserPictures implements PictureSource {
  readonly #options: BrowserPicturesOptions;
  #transcode: { epochId: number; live: LiveTranscode; idle: NodeJS.Timeout } | undefined;
  #trouble: StudioError | undefined;

  constructor(options: BrowserPicturesOptions) {
    this.#options = options;
  }

  /** Why whoever watches sees nothing; empty when nobody watches or all is well. */
  get problems(): Problem[] {
    const trouble = this.#trouble;
    if (!trouble) return [];
    return [{ code: 'preview-failed', severity: 'warning', message: trouble.message, remedy: trouble.remedy }];
  }

  /** For one listener at a time (the hub). */
  onAccessUnit(listener: (picture: PreviewPicture) => void): () => void {
    const unsubscribe = this.#options.ring.onAccessUnit((unit) => this.#take(unit, listener));
    return () => {
      unsubscribe();
      this.#end();
    };
  }

  /** Resolves when no process is left. */
  async close(): Promise<void> {
    const live = this.#transcode?.live;
    this.#end();
    await live?.close();
  }

  #take(unit: AccessUnit, listener: (picture: PreviewPicture) => void): void {
    if (unit.codec === 'h264') {
      this.#end();
      listener(unit);
    } else if (this.#transcode?.epochId === unit.epochId) {
      this.#transcode.idle.refresh();
    } else {
      this.#end();
      this.#start(unit.epochId, listener);
    }
  }

  #start(epochId: number, listener: (picture: PreviewPicture) => void): void {
    const { ring, tools, log } = this.#options;
    const live = new LiveTranscode({
      ...{ ring, tools, log },
      onPicture: listener,
      onTrouble: (why) => this.#setTrouble(why),
    });
    this.#transcode = { epochId, live, idle: setTimeout(() => this.#end(), IDLE_MS) };
  }

  #end(): void {
    const transcode = this.#transcode;
    if (!transcode) return;
    this.#transcode = undefined;
    clearTimeout(transcode.idle);
    void transcode.live.close();
    this.#setTrouble(undefined);
  }

  #setTrouble(why: StudioError | undefined): void {
    if (this.#trouble === why) return;
    this.#trouble = why;
    this.#options.onChange();
  }
}
