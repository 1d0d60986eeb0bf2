/** What ffmpeg prints about devices and filters, as data. Pure; tested on output of several versions (`test/fixtures/devices`). */

export type ListedDevice = { index: number; name: string };
export type DshowDevice = {
  name: string;
  /** DirectShow's own name of it, which stays the same when two devices are called alike */
  alternative?: string;
  video: boolean;
  audio: boolean;
};
/** A size and rates a camera offers; `format` is ffmpeg's name of it. */
export type CameraMode = {
  format: string;
  compressed: boolean;
  width: number;
  height: number;
  /** pictures per second at least and at most; absent where ffmpeg does not say */
  fps?: readonly [number, number];
};

const lines = (text: string): string[] => text.split(/\r?\n/);
/** `[dshow @ 0x1]`, `[AVFoundation indev @ 0x1]`, `[in#0 @ 0x1]` in front of a line */
const unprefixed = (line: string): string => line.replace(/^\[[^\]]+ @ [^\]]+\] /, '');

/** `-f avfoundation -list_devices true -i ""`: the video part, screens among them. */
export function parseAvfoundationVideo(text: string): ListedDevice[] {
  const found: ListedDevice[] = [];
  let video = false;
  for (const line of lines(text)) {
    if (/AVFoundation (video|audio) devices:/.test(line)) video = line.includes('video devices:');
    const match = /^\[(\d{1,3})\] (.+)$/.exec(unprefixed(line));
    if (video && match?.[1] !== undefined && match[2] !== undefined)
      found.push({ index: Number(match[1]), name: match[2].trim() });
  }
  return found;
}

/** `-f dshow -list_devices true -i dummy`: with headings up to 4.4, with the kind behind each name from 5.0, prefixed `in#0` by 8. */
export function parseDshow(text: string): DshowDevice[] {
  const found: DshowDevice[] = [];
  let heading: 'video' | 'audio' | undefined;
  for (const line of lines(text)) {
    const body = unprefixed(line);
    const title = /^DirectShow (video|audio) devices/.exec(body)?.[1];
    if (title === 'video' || title === 'audio') heading = title;
    const alternative = /^\s*Alternative name "(.+)"\s*$/.exec(body)?.[1];
    const last = found.at(-1);
    if (alternative !== undefined && last) last.alternative = alternative;
    const match = /^\s*"(.+)"(?: \(([a-z, ]+)\))?\s*$/.exec(body);
    if (match?.[1] === undefined || alternative !== undefined) continue;
    const kinds = match[2] ?? heading;
    // names in quotes are also in messages; without a kind or a heading it is none
    if (kinds === undefined) continue;
    found.push({ name: match[1], video: kinds.includes('video'), audio: kinds.includes('audio') });
  }
  return found;
}

/** `-f v4l2 -list_formats all -i /dev/videoN`; formats ffmpeg cannot read are left out, as are ranges of sizes. */
export function parseV4l2Formats(text: string): CameraMode[] {
  return lines(text).flatMap((line) => {
    const match = /^(Raw|Compressed)\s*:\s*(\S+)\s*:.*?:((?: \d+x\d+)+)\s*$/.exec(unprefixed(line));
    const format = match?.[2];
    if (format === undefined || format === 'Unsupported') return [];
    return [...(match?.[3] ?? '').matchAll(/(\d+)x(\d+)/g)].map(([, width, height]) => ({
      format,
      compressed: match?.[1] === 'Compressed',
      width: Number(width),
      height: Number(height),
    }));
  });
}

/** `-f dshow -list_options true -i video=NAME`: each line's larger size. */
export function parseDshowModes(text: string): CameraMode[] {
  const pattern = /(pixel_format|vcodec)=(\S+)\s+min s=\d+x\d+ fps=([\d.]+) max s=(\d+)x(\d+) fps=([\d.]+)/;
  const found = lines(text).flatMap((line) => {
    const match = pattern.exec(line);
    if (!match) return [];
    const [, kind, format = '', low, width, height, high] = match;
    const fps = [Number(low), Number(high)] as const;
    return [{ format, compressed: kind === 'vcodec', width: Number(width), height: Number(height), fps }];
  });
  return unique(found);
}

/** "Supported modes" of an avfoundation camera, which ffmpeg tells when it is asked for one that is none. */
export function parseAvfoundationModes(text: string): CameraMode[] {
  const found = lines(text).flatMap((line) => {
    const match = /(\d+)x(\d+)@\[([\d.]+) ([\d.]+)\]fps/.exec(line);
    if (!match) return [];
    const [, width, height, low, high] = match;
    const fps = [Number(low), Number(high)] as const;
    return [{ format: '', compressed: false, width: Number(width), height: Number(height), fps }];
  });
  return unique(found);
}

const unique = (modes: CameraMode[]): CameraMode[] => [
  ...new Map(modes.map((mode) => [JSON.stringify(mode), mode])).values(),
];

/** Names in `-filters`: ` ... gfxcapture        |->V       Capture …`. */
export function parseFilters(text: string): Set<string> {
  return new Set(lines(text).flatMap((line) => /^ [T.][S.][C.]? (\w+)\s+\S+->\S+/.exec(line)?.[1] ?? []));
}

/** Size of the first video stream ffmpeg describes: `Stream #0:0: Video: rawvideo (BGRA / …), bgra, 2560x1440, 30 fps`. */
export function parsePictureSize(text: string): { width: number; height: number } | undefined {
  const match = /Stream #0:0.*?: Video: .*?, (\d{2,5})x(\d{2,5})[ ,[]/.exec(text);
  return match ? { width: Number(match[1]), height: Number(match[2]) } : undefined;
}
