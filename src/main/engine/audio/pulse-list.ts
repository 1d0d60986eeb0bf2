import { z } from 'zod';
import type { AudioDevice } from '../../../contract/index.ts';

/** `pactl -f json info`, what is read of it. */
const Info = z.object({ default_sink_name: z.string().nullish(), default_source_name: z.string().nullish() });

/** One of `pactl -f json list sources`, or of `sinks`, what is read of it. */
const Entry = z.object({
  name: z.string().min(1).max(512),
  description: z.string().nullish(),
  state: z.string().nullish(),
  monitor_source: z.string().nullish(),
  properties: z.record(z.string(), z.unknown()).nullish(),
});

type Entry = z.infer<typeof Entry>;

/** A sound server's devices: what can be captured, and which outputs something is playing to. */
export type PulseList = { devices: AudioDevice[]; playing: string[] };

const isMonitor = ({ name, properties }: Entry): boolean =>
  properties?.['device.class'] === 'monitor' || name.endsWith('.monitor');

/**
 * The devices from `pactl`'s three JSON documents (PulseAudio 16 and later, PipeWire). An output is captured by its monitor, which is the default
 * when its output is. Errors: throws on text that is none of it.
 */
export function parsePulse(info: string, sources: string, sinks: string): PulseList {
  const defaults = Info.parse(JSON.parse(info));
  const outputs = z.array(Entry).parse(JSON.parse(sinks));
  const monitorOf = (sink: Entry): string => sink.monitor_source ?? `${sink.name}.monitor`;
  const devices = z
    .array(Entry)
    .parse(JSON.parse(sources))
    .map((source): AudioDevice => {
      const monitor = isMonitor(source);
      const output = outputs.find((sink) => monitorOf(sink) === source.name);
      const name = (monitor ? output?.description : undefined) ?? source.description ?? source.name;
      return {
        id: source.name,
        name: name.slice(0, 512),
        role: monitor ? 'desktop' : 'microphone',
        isDefault: monitor
          ? output !== undefined && output.name === defaults.default_sink_name
          : source.name === defaults.default_source_name,
      };
    });
  return { devices, playing: outputs.filter(({ state }) => state === 'RUNNING').map(monitorOf) };
}

/** The devices from `ffmpeg -sources pulse`, for where there is no `pactl`. It marks the default source only. */
export function parseFfmpegSources(text: string): AudioDevice[] {
  const devices = text.split('\n').flatMap((line): AudioDevice[] => {
    const [, mark, id, name] = /^([* ]) (\S+) \[(.*)\](?: \([^)]*\))?\s*$/.exec(line) ?? [];
    if (id === undefined) return [];
    const monitor = id.endsWith('.monitor');
    return [
      {
        id: id.slice(0, 512),
        name: (name ?? id).replace(/^Monitor of /, '').slice(0, 512),
        role: monitor ? 'desktop' : 'microphone',
        isDefault: mark === '*',
      },
    ];
  });
  // which output is the default one it does not say; the only one is
  const monitors = devices.filter(({ role }) => role === 'desktop');
  return devices.map((device) =>
    monitors.length === 1 && monitors[0] === device ? { ...device, isDefault: true } : device,
  );
}

/** A line of `pactl subscribe` after which the list may be another. */
export const isDeviceEvent = (line: string): boolean => /^Event '\w+' on (source|sink|server|card) #/.test(line);
