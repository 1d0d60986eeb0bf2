import { StudioError, type Source } from '../../../contract/index.ts';

/** A part of a screen, in its own physical pixels from its upper left corner. */
export type Region = { screen: number; x: number; y: number; width: number; height: number };

const MIN_SIDE = 16;

/** `region:X,Y,WxH` on the first screen, `region:N:X,Y,WxH` on screen N; undefined for anything else. */
export function parseRegion(selector: string): Region | undefined {
  const match = /^region:(?:(\d{1,3}):)?(\d{1,5}),(\d{1,5}),(\d{1,5})x(\d{1,5})$/i.exec(selector);
  if (!match) return undefined;
  const at = (group: number): number => Number(match[group] ?? 0);
  return { screen: at(1), x: at(2), y: at(3), width: at(4), height: at(5) };
}

/**
 * The source for a region of one of the listed screens. Errors: `unknown-source` without that screen, `source-unavailable` when the region is too
 * small or not whole on it.
 */
export function regionSource(region: Region, sources: readonly Source[]): Source {
  const { x, y, width, height } = region;
  const screen = sources.find(({ id }) => id === `screen:${region.screen}`);
  if (!screen) {
    throw new StudioError(
      'unknown-source',
      `There is no screen ${region.screen} for a region.`,
      'Choose the region of a screen that is in the list: region:N:X,Y,WxH.',
    );
  }
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new StudioError(
      'source-unavailable',
      'The region is too small.',
      `Make it at least ${MIN_SIDE}x${MIN_SIDE} pixels.`,
    );
  }
  // some systems tell a screen's size only once it is captured
  if (x + width > (screen.width ?? Infinity) || y + height > (screen.height ?? Infinity)) {
    throw new StudioError(
      'source-unavailable',
      `The region ${width}x${height} at ${x},${y} is not whole on a screen of ${screen.width ?? 0}x${screen.height ?? 0} pixels.`,
      'Choose a region that lies on the screen: region:N:X,Y,WxH.',
    );
  }
  return {
    id: `region:${region.screen}:${x},${y},${width}x${height}`,
    kind: 'screen',
    name: `${screen.name}, ${width} × ${height} at ${x}, ${y}`,
    width,
    height,
    suggested: false,
    available: screen.available,
    ...(screen.reason === undefined ? {} : { reason: screen.reason }),
  };
}
