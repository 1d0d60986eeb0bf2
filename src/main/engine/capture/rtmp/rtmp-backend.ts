import { StreamKey, type RtmpPeer, type Source } from '../../../../contract/index.ts';
import type { ReceivingBackend } from '../backend.ts';
import { ReceivingSession } from '../receiving-session.ts';
import { RtmpPull, type PullDeps } from './pull.ts';

const APPLICATION = '/live/';
const PREFIX = 'rtmp:';

export type RtmpBackendDeps = Pick<PullDeps, 'ffmpeg' | 'log' | 'onChange'> & {
  /** who publishes now, ourselves excluded */
  publishers: () => readonly RtmpPeer[];
  /** where our own reader finds a stream; null while the RTMP server is down */
  readUrl: (key: string) => string | null;
  /** what other programs are told to publish to: `rtmp://127.0.0.1:1935/live` */
  server: () => string | null;
  /** they have to add the publish key of the settings */
  asksForKey: () => boolean;
};

export interface RtmpBackend extends ReceivingBackend {
  /** To be called when publishers came or went. */
  publishersChanged(): void;
}

/** What other programs publish on `/live/KEY` of our own RTMP server, each as the source `rtmp:KEY`. */
export function rtmpBackend(deps: RtmpBackendDeps): RtmpBackend {
  const pulls = new Map<string, RtmpPull>();
  const listeners = new Set<() => void>();
  let listed = '';

  const publisherOf = (key: string): RtmpPeer | undefined =>
    deps.publishers().find(({ path }) => path === APPLICATION + key);
  const keys = (): string[] =>
    deps.publishers().flatMap(({ path }) => {
      const key = path.startsWith(APPLICATION) ? path.slice(APPLICATION.length) : '';
      return StreamKey.safeParse(key).success ? [key] : [];
    });
  const sourceOf = (key: string): Source => {
    const peer = publisherOf(key);
    return {
      id: PREFIX + key,
      kind: 'rtmp',
      name: `${programOf(peer)} on ${APPLICATION}${key}`,
      ...(peer?.width === undefined || peer.height === undefined ? {} : { width: peer.width, height: peer.height }),
      suggested: false,
      available: true,
      hint: hintFor(deps.asksForKey() ? `${key}?key= and the publish key` : key, deps.server()),
    };
  };
  /** what the list of sources says of them */
  const list = (): Source[] => [...new Set(keys())].map(sourceOf);

  return {
    name: 'rtmp',
    owns: (id) => keyOf(id) !== undefined,
    list: async () => Promise.resolve(list()),
    awaited: (selector) => {
      const key = keyOf(selector);
      return key === undefined ? undefined : sourceOf(key);
    },
    receive: (source, session) => {
      const key = keyOf(source.id) ?? '';
      const pull =
        pulls.get(key) ??
        new RtmpPull({ ...deps, publisher: () => publisherOf(key), readUrl: () => deps.readUrl(key) });
      pulls.set(key, pull);
      return new ReceivingSession(source, pull, wordsFor(key), session);
    },
    onChanged: (listener) => void listeners.add(listener),
    publishersChanged: () => {
      for (const pull of pulls.values()) pull.publishersChanged();
      const now = JSON.stringify(list());
      if (now === listed) return;
      listed = now;
      for (const listener of listeners) listener();
    },
    thumbnailInput: () => undefined,
    close: async () => {
      await Promise.all([...pulls.values()].map(async (pull) => pull.idle()));
    },
  };
}

function keyOf(id: string): string | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  return StreamKey.safeParse(id.slice(PREFIX.length)).data;
}

/** What they call themselves: `FMLE/3.0 (compatible; Lavf59.27.100)` is ffmpeg's (5.1.9), `FMLE/3.0 (compatible; FMSc/1.0)` OBS's. */
function programOf(peer: RtmpPeer | undefined): string {
  const client = peer?.client ?? '';
  if (/lavf/i.test(client)) return 'ffmpeg';
  return /FMSc|obs/i.test(client) ? 'OBS' : 'RTMP stream';
}

const hintFor = (key: string, server: string | null): string =>
  `In the program that sends: server ${server ?? 'rtmp://127.0.0.1:1935/live'}, stream key ${key}; an H.264 encoder with a keyframe every second, and AAC sound.`;

const wordsFor = (key: string): ConstructorParameters<typeof ReceivingSession>[2] => ({
  place: `${APPLICATION}${key}`,
  waiting: `Nobody publishes on ${APPLICATION}${key} yet.`,
  resume: 'Start the stream again in the program that sends',
  encoder: 'Choose an H.264 encoder in the program that sends.',
  keyframes: 'Set a keyframe interval of one second in the program that sends.',
  damaged: 'The sending computer or the connection to it is too busy.',
});
