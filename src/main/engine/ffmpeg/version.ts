/** True when an ffmpeg's version is known to be at least this; builds from the development branch (`N-12345-g…`, `2025-02-20-git-…`) count as new. */
export function atLeast(version: string, major: number, minor: number): boolean {
  if (/^(N-|git-|\d{4}-\d{2}-\d{2})/.test(version)) return true;
  const match = /^n?(\d+)\.(\d+)/.exec(version);
  if (!match) return false;
  const [found, foundMinor] = [Number(match[1]), Number(match[2])];
  return found > major || (found === major && foundMinor >= minor);
}

/** FLV carries HEVC from ffmpeg 6.1 on (its change log: "Extend HEVC, VP9, AV1 codecs support in Enhanced FLV"); 5.1 refuses it (measured). */
export const flvCarriesHevc = (version: string): boolean => atLeast(version, 6, 1);
