import path from 'node:path';
import { isSentToUs, type Problem, type RtmpPeer, type RtmpStatus, type Settings } from '../../../contract/index.ts';
import { rtmpBackend, type RtmpBackend } from '../capture/rtmp/rtmp-backend.ts';
import type { SessionFacts } from '../capture/status.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { NodeChild } from '../host.ts';
import type { Log } from '../logging/log.ts';
import { liveCodec } from '../outgoing/live-codec.ts';
import { AbilityCache, PushFiles } from '../push/files.ts';
import { Push, type PushDeps } from '../push/push.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { RtmpRelay } from './relay.ts';
import { RtmpService } from './service.ts';

export type LiveAddressOptions = {
  port: number;
  start: (port: number) => NodeChild;
  settings: () => Settings;
  ring: ReplayRing;
  tools: FfmpegTools;
  /** where HEVC can be had live */
  liveUrl: () => string;
  dataFolder: string;
  env: NodeJS.ProcessEnv;
  pushKeys: PushDeps['keys'];
  savePushTargets: PushDeps['save'];
  log: Log;
  clock: () => number;
  now: () => number;
  onChange: () => void;
};

/**
 * The live address and what hangs on it: the RTMP server, the relay that puts on it what other programs send, their publications as
 * sources, and the servers the stream is pushed on to.
 */
export class LiveAddress {
  readonly server: RtmpService;
  readonly sources: RtmpBackend;
  readonly push: Push;
  readonly #relay: RtmpRelay;
  readonly #options: LiveAddressOptions;

  constructor(options: LiveAddressOptions) {
    const { ring, tools, log, settings, onChange, clock, now } = options;
    this.#options = options;
    const ffmpeg = async (): ReturnType<FfmpegTools['get']> => tools.get();
    this.server = new RtmpService({
      port: options.port,
      streamKey: settings().streamKey,
      keys: settings(),
      start: options.start,
      log: log.child({ part: 'rtmp' }),
      onChange: () => {
        this.sources.publishersChanged();
        onChange();
      },
    });
    this.sources = rtmpBackend({
      publishers: () => this.#foreignPublishers(),
      readUrl: (key) => this.server.readUrl(key),
      server: () => this.server.server,
      asksForKey: () => settings().publishKey !== '',
      ffmpeg,
      log: log.child({ part: 'rtmp-source' }),
      onChange,
    });
    this.#relay = new RtmpRelay({
      ring,
      tools,
      url: () => (this.server.status.state === 'up' ? this.server.publishUrl() : null),
      liveUrl: options.liveUrl,
      log: log.child({ part: 'relay' }),
      onChange,
    });
    this.push = new Push(settings().pushTargets, {
      ring,
      ffmpeg,
      abilities: new AbilityCache(),
      files: new PushFiles(path.join(options.dataFolder, 'push'), options.env),
      keys: options.pushKeys,
      save: options.savePushTargets,
      log: log.child({ part: 'push' }),
      clock,
      now,
      onChange,
    });
  }

  get status(): RtmpStatus {
    return this.server.status;
  }

  /** Why the live address does not carry the stream. */
  get problem(): Problem | undefined {
    return this.#relay.problem;
  }

  /** What another program sends needs a relay to the live address; our own capture publishes by itself. */
  follow(facts: SessionFacts | undefined): void {
    // a publisher on the live key is at the live address already
    const isThere = facts?.info.id === `rtmp:${this.#options.settings().streamKey}`;
    this.#relay.follow(
      facts && isSentToUs(facts.info.kind) && !isThere && facts.phase === 'running' ? facts.info.codec : undefined,
    );
    this.push.follow(liveCodec(facts, this.#options.now()));
  }

  /** Keys that were changed hold for who comes from now on. */
  applySettings(): void {
    const settings = this.#options.settings();
    this.server.setStreamKey(settings.streamKey);
    this.server.setKeys(settings);
  }

  /** Resolves when the server listens or is known not to. */
  async start(): Promise<void> {
    await Promise.all([this.server.start(), this.push.start()]);
  }

  /** Ends what publishes; the server itself is stopped last. */
  async close(): Promise<void> {
    await Promise.all([this.#relay.close(), this.push.close()]);
  }

  #foreignPublishers(): RtmpPeer[] {
    const { status } = this.server;
    return status.state === 'up' ? status.publishers.filter(({ own }) => !own) : [];
  }
}
