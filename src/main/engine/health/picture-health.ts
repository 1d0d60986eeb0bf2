import type { Problem, SourceKind } from '../../../contract/index.ts';
import { THRESHOLDS } from './catalog.ts';
import { PictureWatch } from './picture-watch.ts';

/** The source whose pictures are looked at. */
export type WatchedSource = {
  readonly name: string;
  readonly kind: SourceKind;
  /** Whether its program still reacts; absent where nobody can be asked. May reject. */
  responds?(signal: AbortSignal): Promise<'yes' | 'no' | 'unknown'>;
};

export type PictureHealthDeps = {
  platform: NodeJS.Platform;
  /** monotonic, seconds */
  clock: () => number;
  onChange: () => void;
  log: { info(facts: object, message: string): void };
};

/** While the picture is still its program is asked this often, seconds. */
const ASK_SECONDS = 0.75;

type Watched = {
  source: WatchedSource;
  watch: PictureWatch;
  over: AbortController;
  asking: boolean;
  askedAt: number;
  /** the newest answer, about the stillness that began at `about` */
  answer: { responds: 'yes' | 'no' | 'unknown'; about: number } | null;
};

/**
 * Looks at the small pictures of one capture and says what is wrong with what they show. A still picture is only called frozen with
 * evidence that its program hangs, which is asked for while it is still and at no other time.
 */
export class PictureHealth {
  readonly #deps: PictureHealthDeps;
  #now: Watched | undefined;

  constructor(deps: PictureHealthDeps) {
    this.#deps = deps;
  }

  /** A capture of `source` begins; nothing is remembered of another one. */
  begin(source: WatchedSource): void {
    this.end();
    const over = new AbortController();
    const askedAt = Number.NEGATIVE_INFINITY;
    this.#now = { source, watch: new PictureWatch(), over, asking: false, askedAt, answer: null };
  }

  /** The capture is interrupted (another ffmpeg will go on): its last pictures say nothing of the present. */
  interrupt(): void {
    const now = this.#now;
    if (!now) return;
    now.watch.interrupt();
    now.answer = null;
  }

  end(): void {
    this.#now?.over.abort();
    this.#now = undefined;
  }

  /** A small grey picture came. */
  add(picture: Uint8Array): void {
    const now = this.#now;
    if (!now) return;
    const at = this.#deps.clock();
    const { stillSince } = now.watch.add(at, picture);
    if (stillSince === null || at - stillSince < THRESHOLDS.stillSeconds) {
      now.answer = null;
      return;
    }
    if (now.source.responds && !now.asking && at - now.askedAt >= ASK_SECONDS) void this.#ask(now, stillSince, at);
  }

  /** Seconds for which there has been nothing but black since the capture began; 0 when there was, or is, another picture. */
  get blackFromStart(): number {
    const black = this.#now?.watch.look.black;
    return black?.fromStart === true ? this.#deps.clock() - black.since : 0;
  }

  get problems(): Problem[] {
    const now = this.#now;
    if (!now) return [];
    const { black, stillSince } = now.watch.look;
    const problems: Problem[] = [];
    if (black) problems.push(blackProblem(now.source, black.fromStart, this.#deps.platform));
    if (stillSince === null || now.answer?.about !== stillSince) {
      if (stillSince !== null && !now.source.responds)
        problems.push(...this.#unchanged(now.source, stillSince, black !== null));
      return problems;
    }
    if (now.answer.responds === 'no') problems.push(frozenProblem(now.source.name));
    if (now.answer.responds === 'unknown') problems.push(...this.#unchanged(now.source, stillSince, black !== null));
    return problems;
  }

  /** Where nobody can be asked: a desktop may well stand still, a game or a camera hardly for a minute. Black says more. */
  #unchanged({ kind, name }: WatchedSource, since: number, black: boolean): Problem[] {
    const lasts = this.#deps.clock() - since >= THRESHOLDS.unchangedSeconds;
    if (black || !lasts || (kind !== 'window' && kind !== 'camera')) return [];
    return [
      {
        code: 'picture-frozen',
        severity: 'warning',
        message: `The picture of "${name}" has not changed for a minute or more.`,
        remedy: 'A menu or a pause needs nothing; if it should be moving, look at it: it may hang.',
      },
    ];
  }

  async #ask(now: Watched, about: number, at: number): Promise<void> {
    const { log, onChange } = this.#deps;
    now.asking = true;
    now.askedAt = at;
    try {
      const responds = (await now.source.responds?.(now.over.signal)) ?? 'unknown';
      if (now.over.signal.aborted || now.watch.look.stillSince !== about) return;
      const changed = now.answer?.responds !== responds;
      now.answer = { responds, about };
      if (changed) onChange();
    } catch (error) {
      // a window or display that is gone is told by the capture itself
      if (!now.over.signal.aborted)
        log.info({ err: error }, 'the captured program could not be asked whether it reacts');
    } finally {
      now.asking = false;
    }
  }
}

const frozenProblem = (name: string): Problem => ({
  code: 'picture-frozen',
  severity: 'warning',
  message: `"${name}" does not react and its picture stands still.`,
  remedy: 'Wait if it is loading; otherwise close it and open it again. The capture goes on by itself.',
});

/** What a black picture most likely means, for each system: a source that never showed anything is another case than one that did. */
export function blackProblem({ name, kind }: WatchedSource, fromStart: boolean, platform: NodeJS.Platform): Problem {
  const message = fromStart ? `Nothing but black has come from "${name}".` : `The picture of "${name}" became black.`;
  return { code: 'picture-black', severity: 'warning', message, remedy: blackRemedy(kind, fromStart, platform) };
}

function blackRemedy(kind: SourceKind, fromStart: boolean, platform: NodeJS.Platform): string {
  if (kind === 'camera') {
    return fromStart
      ? 'Open its cover, and close other programs that use the camera.'
      : 'Check its cover and, at a capture card, that the console or computer behind it still sends a picture.';
  }
  if (!fromStart) {
    return platform === 'win32'
      ? 'A game that is loading shows it again by itself. If it stays black, set the game to borderless window: exclusive full screen cannot be captured.'
      : 'A game that is loading shows it again by itself; if it stays black, show its window again.';
  }
  switch (platform) {
    case 'darwin':
      return 'Allow Pitwall in System Settings, Privacy & Security, Screen & System Audio Recording, then start Pitwall again.';
    case 'win32':
      return 'Set the game to borderless window, switch HDR off, and let the game and Pitwall run on the same graphics card (Windows Settings, Display, Graphics).';
    default:
      return kind === 'window'
        ? 'The game may still be loading. Otherwise bring its window to the front once, or capture the whole screen.'
        : 'Wake the screen, and switch its lock off; under Wayland capture through the desktop portal instead.';
  }
}
