import { run } from './processes.ts';

/** Input arguments of ffmpeg for pictures that turn white and a tone that sounds in the first tenth of every second. */
export const FLASH_AND_BEEP = [
  ...['-re', '-f', 'lavfi', '-i', "color=black:size=320x180:rate=30,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.1)'"],
  ...['-re', '-f', 'lavfi', '-i', "aevalsrc='if(lt(mod(t,1),0.1),0.5*sin(2*PI*1000*t),0)':sample_rate=48000"],
] as const;

async function onsets(file: string, args: readonly string[], loud: (value: number) => boolean): Promise<number[]> {
  const { code, stdout, stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, ...args, '-f', 'null', '-']);
  if (code !== 0) throw new Error(stderr);
  const found: number[] = [];
  let [at, was] = [0, true];
  for (const line of stdout.toString('utf8').split('\n')) {
    const time = /pts_time:(-?[\d.]+)/.exec(line)?.[1];
    if (time !== undefined) at = Number(time);
    const value = /^lavfi\.[\w.]+=(\S+)/.exec(line)?.[1];
    if (value === undefined) continue;
    const is = loud(Number(value));
    if (is && !was) found.push(at);
    was = is;
  }
  return found;
}

/** How much later the tone begins than the picture that belongs to it, seconds, for each second of a file. */
export async function skews(file: string): Promise<number[]> {
  const video = await onsets(
    file,
    ['-an', '-vf', 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-'],
    (brightness) => brightness > 128,
  );
  const audio = await onsets(
    file,
    [
      ...['-vn', '-af'],
      'asetnsamples=n=96,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-',
    ],
    (level) => level > -30,
  );
  return video.flatMap((flash) => {
    const beep = audio.find((at) => Math.abs(at - flash) < 0.4);
    return beep === undefined ? [] : [beep - flash];
  });
}
