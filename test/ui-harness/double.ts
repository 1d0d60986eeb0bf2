/**
 * A double of the engine for looking at and testing the user interface alone. It serves the built page, the contract
 * over a WebSocket with a state that the test scripts, and real H.264 preview frames made by ffmpeg.
 *
 * It does NOT prove: that the engine ever reaches these states or reports these values, that intents change anything,
 * that captures, saves, RTMP, hotkeys or thumbnails work, the engine's HTTP guard and headers, or the Electron shell.
 * Those are proven end to end against the real engine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';
import { WebSocketServer } from 'ws';
import { StudioError } from '../../src/contract/errors.ts';
import { procedures } from '../../src/contract/procedures.ts';
import type { Notice, StateEvent, StudioState } from '../../src/contract/state.ts';
import { handlerMap, onCall, onEvents, onFrames, serveContract } from '../../src/contract/wire/server.ts';
import { wsWire } from '../../src/contract/wire/ws.ts';
import { ffmpegBytes, previewFrames } from './h264.ts';

export type EngineDouble = {
  readonly url: string;
  /** names and inputs of the intents received */
  readonly intents: { name: string; input: unknown }[];
  /** preview subscriptions open now */
  readonly previewReaders: () => number;
  state: () => StudioState;
  /** Replaces sections and tells every client by one delta. */
  change: (changed: Partial<StudioState>) => void;
  /** Sends a delta whose predecessor nobody got. */
  leaveHole: (changed: Partial<StudioState>) => void;
  notice: (notice: Notice) => void;
  /** The next intent of that name is refused. */
  refuse: (name: string, error: StudioError) => void;
  setPreviewRunning: (running: boolean) => void;
  /** Ends every connection and refuses new ones until `comeBack`. */
  goAway: () => void;
  comeBack: () => void;
  close: () => Promise<void>;
};

const FPS = 30;

export async function startDouble(rendererFolder: string, initial: StudioState): Promise<EngineDouble> {
  const [frames, thumbnail, clipFile] = await Promise.all([
    previewFrames({ size: '1280x720', fps: FPS, seconds: 4 }),
    ffmpegBytes([...'-f lavfi -i testsrc2=size=320x180 -frames:v 1 -f mjpeg pipe:1'.split(' ')]),
    ffmpegBytes([
      ...'-f lavfi -i testsrc2=size=640x360:rate=30:duration=3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p'.split(
        ' ',
      ),
      ...'-movflags frag_keyframe+empty_moov -f mp4 pipe:1'.split(' '),
    ]),
  ]);

  let state = initial;
  let revision = 1;
  let away = false;
  let previewRunning = true;
  const intents: EngineDouble['intents'] = [];
  const refusals = new Map<string, StudioError>();
  const stateListeners = new Set<(event: StateEvent) => void>();
  const noticeListeners = new Set<(notice: Notice) => void>();
  let readers = 0;

  const intent = (name: string, input: unknown): void => {
    intents.push({ name, input });
    const refusal = refusals.get(name);
    refusals.delete(name);
    if (refusal) throw refusal;
  };
  const listen = <T>(set: Set<(value: T) => void>, listener: (value: T) => void): (() => void) => {
    set.add(listener);
    return () => set.delete(listener);
  };

  const handlers = handlerMap(Object.values(procedures), [
    onCall(procedures.startCapture, async (input) => {
      intent('startCapture', input);
      return Promise.resolve(state.session);
    }),
    onCall(procedures.stopCapture, async () => {
      intent('stopCapture', undefined);
      return Promise.resolve(state.session);
    }),
    onCall(procedures.refreshSources, async () => {
      intent('refreshSources', undefined);
      return Promise.resolve(state.sources);
    }),
    onCall(procedures.saveReplay, async (input) => {
      intent('saveReplay', input);
      return Promise.resolve({
        clips: [],
        askedSeconds: input.seconds ?? 0,
        seconds: 0,
        reason: 'a double saves nothing',
      });
    }),
    onCall(procedures.cancelSave, async (input) => {
      intent('cancelSave', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.addMark, async (input) => {
      intent('addMark', input);
      return Promise.resolve({ id: 'mark-1', at: 0, label: 'Mark 1', epoch: 1 });
    }),
    onCall(procedures.deleteMark, async (input) => {
      intent('deleteMark', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.saveRecovery, async () => {
      intent('saveRecovery', undefined);
      return Promise.resolve({ clips: [], askedSeconds: 0, seconds: 0, reason: 'a double saves nothing' });
    }),
    onCall(procedures.discardRecovery, async () => {
      intent('discardRecovery', undefined);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.clearReplay, async () => {
      intent('clearReplay', undefined);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.deleteClip, async (input) => {
      intent('deleteClip', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.revealClip, async (input) => {
      intent('revealClip', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.openClipsFolder, async () => {
      intent('openClipsFolder', undefined);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.updateSettings, async (input) => {
      intent('updateSettings', input);
      return Promise.resolve(state.settings);
    }),
    onCall(procedures.setPushTarget, async (input) => {
      intent('setPushTarget', input.name);
      return Promise.resolve({ id: input.id ?? 'push-1' });
    }),
    onCall(procedures.enablePushTarget, async (input) => {
      intent('enablePushTarget', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.deletePushTarget, async (input) => {
      intent('deletePushTarget', input);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.testEncoders, async () => {
      intent('testEncoders', undefined);
      return Promise.resolve(undefined);
    }),
    onCall(procedures.runSetupTest, async () => {
      intent('runSetupTest', undefined);
      return Promise.reject(new StudioError('not-supported', 'A double tests nothing.', 'Ask the engine.'));
    }),
    onCall(procedures.cancelSetupTest, async () => {
      intent('cancelSetupTest', undefined);
      return Promise.resolve(undefined);
    }),
    onEvents(procedures.watchState, (emit) => {
      emit({ type: 'snapshot', revision, state });
      return listen(stateListeners, emit);
    }),
    onEvents(procedures.watchNotices, (emit) => listen(noticeListeners, emit)),
    onFrames(procedures.watchPreview, (sink) => {
      readers++;
      let next = 0;
      const timer = setInterval(() => {
        const frame = frames[next % frames.length];
        if (!previewRunning || !frame) return;
        // after a skip, go on at the next keyframe
        const fresh = next % FPS === 0;
        if (!sink.ready && !fresh) return;
        sink.send(frame);
        next++;
      }, 1000 / FPS);
      return () => {
        readers--;
        clearInterval(timer);
      };
    }),
  ]);

  const assets = sirv(rendererFolder, { dev: true });
  const answer = (response: ServerResponse, type: string, body: Buffer): void => {
    response.writeHead(200, { 'content-type': type, 'content-length': body.byteLength }).end(body);
  };
  const server = createServer((request: IncomingMessage, response) => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/');
    if (path === '/api/sources/window:0x1c00007/thumbnail' || path === '/api/clips/a1/thumbnail') {
      answer(response, 'image/jpeg', thumbnail);
    } else if (path === '/api/clips/a1/file') {
      answer(response, 'video/mp4', clipFile);
    } else if (path.startsWith('/api/')) {
      response.writeHead(404).end();
    } else {
      assets(request, response, () => void response.writeHead(404).end());
    }
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (away) {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      serveContract(wsWire(client), handlers, {
        onError: (name, thrown) => {
          throw new Error(`the double failed in ${name}`, { cause: thrown });
        },
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the double has no TCP address');
  const { port }: AddressInfo = address;

  const tell = (changed: Partial<StudioState>): void => {
    state = { ...state, ...changed };
    revision++;
    for (const emit of stateListeners) emit({ type: 'delta', revision, changed });
  };

  return {
    url: `http://127.0.0.1:${port}/`,
    intents,
    previewReaders: () => readers,
    state: () => state,
    change: tell,
    leaveHole: (changed) => {
      revision++;
      tell(changed);
    },
    notice: (notice) => {
      for (const emit of noticeListeners) emit(notice);
    },
    refuse: (name, error) => refusals.set(name, error),
    setPreviewRunning: (running) => {
      previewRunning = running;
    },
    goAway: () => {
      away = true;
      for (const client of sockets.clients) client.terminate();
    },
    comeBack: () => {
      away = false;
    },
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
