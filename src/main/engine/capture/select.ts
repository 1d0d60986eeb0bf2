import { StudioError, type Source } from '../../../contract/index.ts';
import { parseRegion, regionSource } from './region.ts';

/** Suggested first, then windows, screens, what other programs send, the test pattern; each by name. */
export function sortSources(sources: readonly Source[]): Source[] {
  const rank = { window: 1, screen: 2, camera: 3, pipe: 4, rtmp: 4, 'test-pattern': 5 } as const;
  const key = (source: Source): number => (source.suggested ? 0 : rank[source.kind]);
  return [...sources].sort((a, b) => key(a) - key(b) || a.name.localeCompare(b.name));
}

/**
 * Finds the source that `selector` names: an id, `screen:N`, `region:X,Y,WxH` (see `parseRegion`), or `window:TITLE` (a case-insensitive part of
 * a title; the shortest title wins, so that "Assetto Corsa" is not taken by "Assetto Corsa - Wiki"). Errors: `unknown-source`, `source-unavailable`.
 */
export function selectSource(selector: string, sources: readonly Source[]): Source {
  const region = parseRegion(selector);
  const found = region
    ? regionSource(region, sources)
    : (sources.find((source) => source.id === selector) ?? byTitle(selector, sources));
  if (!found) {
    const known = sources.map((source) => (source.kind === 'window' ? `window:${source.name}` : source.id));
    throw new StudioError(
      'unknown-source',
      `There is no source "${selector}".`,
      known.length > 0
        ? `Open it first, or choose one of these: ${known.slice(0, 8).join(', ')}.`
        : 'Open the window you want to capture first.',
    );
  }
  if (!found.available) {
    throw new StudioError(
      'source-unavailable',
      `"${found.name}" cannot be captured now.`,
      found.reason ?? 'Choose another source.',
    );
  }
  return found;
}

function byTitle(selector: string, sources: readonly Source[]): Source | undefined {
  const match = /^window:(.+)$/is.exec(selector);
  const wanted = match?.[1]?.trim().toLowerCase();
  if (wanted === undefined || wanted === '') return undefined;
  return sources
    .filter((source) => source.kind === 'window' && source.name.toLowerCase().includes(wanted))
    .sort((a, b) => a.name.length - b.name.length)[0];
}
