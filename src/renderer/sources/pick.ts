import { isSentToUs, type Source } from '../../contract/sources.ts';

const ORDER = { window: 0, screen: 1, camera: 2, pipe: 3, rtmp: 4, 'test-pattern': 5 } as const;

/** The order of the picker: what can be captured first, the suggested one on top, windows before screens. */
export function ordered(sources: readonly Source[]): Source[] {
  const rank = (source: Source): number =>
    (source.available ? 0 : 100) + (source.suggested ? 0 : 10) + ORDER[source.kind];
  return [...sources].sort((a, b) => rank(a) - rank(b));
}

/**
 * What Start would start: the person's choice, else the suggested source, the last one, or the only one there is. A window
 * that closed never gives way to something nobody chose: a whole screen must not go live by accident.
 */
export function pickSource(
  sources: readonly Source[],
  chosenId: string | null,
  lastSource: string | null,
): Source | undefined {
  const available = sources.filter((source) => source.available);
  // a window's id is new each time it is opened: what is remembered of it is its title
  const byId = (id: string | null): Source | undefined =>
    available.find((source) => source.id === id || (source.kind === 'window' && `window:${source.name}` === id));
  const suggested = available.find((source) => source.suggested);
  if (chosenId !== null) return byId(chosenId) ?? suggested;
  // what another program has to send is not there just by being offered
  const here = available.filter(({ kind }) => !isSentToUs(kind));
  return suggested ?? byId(lastSource) ?? (here.length === 1 ? here[0] : undefined);
}

/** `acs.exe, window` */
export function kindWords(source: Pick<Source, 'kind' | 'app'>): string {
  const kind = {
    window: 'window',
    screen: 'screen',
    camera: 'camera',
    pipe: 'what it sends',
    rtmp: 'what it publishes',
    'test-pattern': 'picture and tone',
  }[source.kind];
  return source.app ? `${source.app}, ${kind}` : kind;
}

/** Null for what has no picture before it sends one. */
export const thumbnailUrl = ({ id, kind }: Pick<Source, 'id' | 'kind'>, version: number): string | null =>
  isSentToUs(kind) ? null : `/api/sources/${encodeURIComponent(id)}/thumbnail?v=${version}`;
