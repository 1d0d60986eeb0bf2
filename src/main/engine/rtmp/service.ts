import { randomBytes } from 'node:crypto';
import { StudioError, type ErrorInfo, type RtmpPeer, type RtmpStatus } from '../../../contract/index.ts';
import type { NodeChild } from '../host.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { within } from '../process/child.ts';
import { HostMessage, type HostOrder } from './messages.ts';

export type RtmpServiceOptions = {
  /** 0 for any free port */
  port: number;
  streamKey: string;
  /** demanded of other programs; empty for none */
  keys: { publishKey: string; playKey: string };
  start: (port: number) => NodeChild;
  log: Log;
  onChange: () => void;
};

const READY_MS = 10_000;

/**
 * Keeps the RTMP host process running. Losing it costs readers a reconnect and nothing else: ffmpeg's `fifo` publishes again
 * by itself (measured: within 1.9 s).
 */
export class RtmpService {
  readonly #options: RtmpServiceOptions;
  readonly #stop = new AbortController();
  /** lets our own programs in, and tells them from others; it is in their arguments, so it is new for every run and good for nothing else */
  readonly #ownToken = randomBytes(16).toString('hex');
  #port: number;
  #listening = false;
  #error: ErrorInfo | undefined;
  #peers: { publishers: RtmpPeer[]; readers: RtmpPeer[] } = { publishers: [], readers: [] };
  #child: NodeChild | undefined;
  #finished: Promise<void> = Promise.resolve();
  #decided: () => void = () => undefined;

  constructor(options: RtmpServiceOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Resolves when the server listens or is known not to; it goes on trying in the background either way. */
  async start(): Promise<void> {
    const decided = new Promise<void>((resolve) => {
      this.#decided = resolve;
    });
    this.#finished = this.#keepRunning();
    await within(decided, READY_MS);
  }

  get status(): RtmpStatus {
    if (this.#listening) return { state: 'up', url: this.#url(), ...this.#peers };
    return this.#error ? { state: 'down', error: this.#error } : { state: 'starting' };
  }

  /** Where a capture publishes; null until a port is known. While the server is down ffmpeg keeps trying there. */
  publishUrl(): string | null {
    return this.#port === 0 ? null : `${this.#url()}?own=${this.#ownToken}`;
  }

  /** Where a reader of ours finds a stream; null while the server is down. */
  readUrl(key: string): string | null {
    return this.#listening ? `${this.#server()}/${key}?own=${this.#ownToken}` : null;
  }

  /** What other programs publish to, without the stream key; null until a port is known. */
  get server(): string | null {
    return this.#port === 0 ? null : this.#server();
  }

  setStreamKey(streamKey: string): void {
    this.#options.streamKey = streamKey;
    if (this.#child) this.#admit(this.#child);
  }

  /** From now on, for those too who are connected already. */
  setKeys(keys: { publishKey: string; playKey: string }): void {
    this.#options.keys = keys;
    if (this.#child) this.#admit(this.#child);
  }

  /**
   * Nobody but `sourceId` may be publishing at the live address. Errors: `publisher-busy`, naming who does.
   */
  mustBeFree(sourceId: string): void {
    const { streamKey } = this.#options;
    const path = `/live/${streamKey}`;
    const holder = this.#peers.publishers.find((peer) => !peer.own && peer.path === path);
    if (!holder || sourceId === `rtmp:${streamKey}`) return;
    const name = holder.client === undefined ? 'Another program' : `"${holder.client}"`;
    throw new StudioError(
      'publisher-busy',
      `${name} (${holder.address}) publishes at the live address ${path}.`,
      `End it there first, let it publish under another key, or choose rtmp:${streamKey} as the source.`,
    );
  }

  #admit(child: NodeChild): void {
    const {
      streamKey: liveKey,
      keys: { publishKey, playKey },
    } = this.#options;
    const order: HostOrder = { type: 'access', publishKey, playKey, ownToken: this.#ownToken, liveKey };
    child.postMessage(order);
  }

  /** Ends the process; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const child = this.#child;
    child?.terminate();
    if (!(await within(this.#finished, 2000))) child?.kill();
    await this.#finished;
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #url(): string {
    return `${this.#server()}/${this.#options.streamKey}`;
  }

  #server(): string {
    return `rtmp://127.0.0.1:${this.#port}/live`;
  }

  async #keepRunning(): Promise<void> {
    const { log, onChange } = this.#options;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000, 5000], healthyMs: 5000, forever: true });
    while (!this.#stopped()) {
      const startedAt = performance.now();
      const { code, signal } = await this.#runOnce();
      this.#listening = false;
      this.#peers = { publishers: [], readers: [] };
      if (this.#stopped()) break;
      if (this.#error === undefined) {
        log.warn({ code, signal }, 'the RTMP server ended; starting it again');
        this.#error = new StudioError(
          'rtmp-failed',
          'The RTMP server stopped.',
          'It is being started again; the replay goes on.',
        ).toInfo();
      }
      this.#decided();
      onChange();
      const wait = backoff.next(performance.now() - startedAt);
      await pause(wait === 'give-up' ? 5000 : wait, this.#stop.signal);
    }
  }

  async #runOnce(): Promise<{ code: number | null; signal: string | null }> {
    const { log } = this.#options;
    const child = this.#options.start(this.#port);
    this.#child = child;
    this.#admit(child);
    child.onLine((line) => log.info({ line }, 'rtmp server'));
    child.onMessage((raw) => {
      const message = HostMessage.safeParse(raw);
      if (message.success) this.#receive(message.data);
      else log.warn('a message from the RTMP server was not understood');
    });
    const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      child.onExit(resolve);
      // a process that neither listens nor ends is of no use
      const timer = setTimeout(() => {
        if (!this.#listening) child.kill();
      }, READY_MS);
      child.onExit(() => clearTimeout(timer));
    });
    this.#child = undefined;
    return exit;
  }

  #receive(message: HostMessage): void {
    const { log, onChange } = this.#options;
    switch (message.type) {
      case 'listening':
        this.#port = message.port;
        this.#listening = true;
        this.#error = undefined;
        log.info({ url: this.#url() }, 'RTMP server listening');
        this.#decided();
        break;
      case 'listen-failed':
        this.#error = portError(this.#port, message.code).toInfo();
        log.warn({ code: message.code, port: this.#port }, this.#error.message);
        break;
      case 'log':
        log.info(message.fields, `rtmp connection ${message.event}`);
        return;
      case 'peers':
        this.#peers = { publishers: message.publishers, readers: message.readers };
    }
    onChange();
  }
}

const portError = (port: number, code: string): StudioError =>
  code === 'EADDRINUSE'
    ? new StudioError(
        'port-in-use',
        `RTMP port ${port} is used by another program, so there is no live address; preview and replay work.`,
        'Close that program, or start Pitwall with --rtmp-port and another number (0 for any free one).',
      )
    : new StudioError(
        'rtmp-failed',
        `The RTMP server could not listen on port ${port} (${code}).`,
        'Start Pitwall with --rtmp-port and another number.',
      );
