import type { Source } from '../../contract/sources.ts';

const ORDER = { window: 0, screen: 1, 'test-pattern': 2 } as const;

/** The order of the picker: what can be captured first, the suggested one on top, windows before screens. */
export function ordered(sources: readonly Source[]): Source[] {
  const rank = (source: Source): number =>
    (source.available ? 0 : 100) + (source.suggested ? 0 : 10) + ORDER[source.kind];
  return [...sources].sort((a, b) => rank(a) - rank(b));
}

/** What Start would start: the person's choice while it exists, else the suggested one, the last one, the first one. */
export function pickSource(
  sources: readonly Source[],
  chosenId: string | null,
  lastSource: string | null,
): Source | undefined {
  const available = sources.filter((source) => source.available);
  const byId = (id: string | null): Source | undefined => available.find((source) => source.id === id);
  return byId(chosenId) ?? available.find((source) => source.suggested) ?? byId(lastSource) ?? ordered(available)[0];
}

/** `acs.exe, window` */
export function kindWords(source: Pick<Source, 'kind' | 'app'>): string {
  const kind = source.kind === 'test-pattern' ? 'picture and tone' : source.kind;
  return source.app ? `${source.app}, ${kind}` : kind;
}

export const thumbnailUrl = (id: string, version: number): string =>
  `/api/sources/${encodeURIComponent(id)}/thumbnail?v=${version}`;
