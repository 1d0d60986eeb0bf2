import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { StudioError, type Clip } from '../../../contract/index.ts';
import { thumbnailArgs } from '../capture/thumbnails.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Host } from '../host.ts';
import { runToEnd } from '../process/child.ts';
import { ClipPreviews } from '../transcode/clip-previews.ts';
import type { ClipLibrary } from './library.ts';

export type ClipDeskOptions = {
  library: ClipLibrary;
  tools: FfmpegTools;
  host: Pick<Host, 'openFolder' | 'revealFile'>;
  dataFolder: string;
  clipsFolder: string;
};

/** What clients ask of saved clips. Every method rejects with `StudioError`, `clip-not-found` among them. */
export class ClipDesk {
  readonly #options: ClipDeskOptions;
  readonly #previews: ClipPreviews;

  constructor(options: ClipDeskOptions) {
    this.#options = options;
    this.#previews = new ClipPreviews(path.join(options.dataFolder, 'previews'));
  }

  async refresh(): Promise<void> {
    await this.#options.library.refresh();
  }

  async get(id: string): Promise<Clip> {
    return this.#options.library.get(id);
  }

  /** Path of a JPEG, made when there is none. */
  async thumbnail(id: string, signal: AbortSignal): Promise<string> {
    const clip = await this.get(id);
    const folder = path.join(this.#options.dataFolder, 'thumbnails');
    const file = path.join(folder, `${clip.id}.jpg`);
    if (await stat(file).catch(() => undefined)) return file;
    await mkdir(folder, { recursive: true });
    const { ffmpeg } = await this.#options.tools.get();
    const args = thumbnailArgs(['-ss', String(Math.min(1, clip.seconds / 2)), '-i', clip.path], file);
    const { code } = await runToEnd(ffmpeg, args, { timeoutMs: 10_000, signal });
    if (code !== 0) {
      throw new StudioError('not-found', 'There is no picture of this clip.', 'It can still be played.');
    }
    return file;
  }

  /** Path of a small H.264 MP4 of it, made when there is none; the signal gives it up. */
  async preview(id: string, signal: AbortSignal): Promise<string> {
    return this.#previews.get(await this.get(id), await this.#options.tools.get(), signal);
  }

  /** To the system's trash. */
  async delete(id: string): Promise<void> {
    await this.#options.library.delete(id);
  }

  async reveal(id: string): Promise<void> {
    const clip = await this.get(id);
    await this.#options.host.revealFile(clip.path);
  }

  async openFolder(): Promise<void> {
    const { clipsFolder, host } = this.#options;
    await mkdir(clipsFolder, { recursive: true }).catch(() => undefined);
    await host.openFolder(clipsFolder);
  }

  async close(): Promise<void> {
    await this.#previews.close();
  }
}
