import { CircleAlert, LoaderCircle, PauseCircle, RefreshCw } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import type { CaptureInfo, SessionState } from '../../contract/capture.ts';
import { isSentToUs } from '../../contract/sources.ts';
import { startCapture } from '../store/actions.ts';
import { openDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { useBusy } from '../ui/useBusy.ts';
import { useNow } from '../ui/useNow.ts';
import { dimensions } from '../words/format.ts';
import { isRunning, stalledSentence } from '../words/session-words.ts';
import { LivePicture } from './LivePicture.tsx';
import { type PlayerStatus, previewUnsupported } from './preview-player.ts';

/** The big picture with what there is to say about it; shown in every state but idle. */
export function PreviewPanel() {
  const session = useStudio((state) => state.session);
  const connected = useConnected();
  const [status, setStatus] = useState<PlayerStatus>({ state: 'waiting', framesDrawn: 0, fps: null });
  const unsupported = useMemo(() => previewUnsupported(), []);
  const source = session.state === 'idle' ? null : session.source;
  const dimmed = session.state !== 'live' || !connected;

  return (
    <section aria-label="Preview" className="card relative min-h-0 overflow-hidden bg-black">
      {!unsupported && (
        <div className={cx('absolute inset-0 transition-opacity', dimmed && 'opacity-35')}>
          <LivePicture active={isRunning(session)} onStatus={setStatus} />
        </div>
      )}
      {source && (
        <div className="tag absolute top-3 left-3 flex max-w-[calc(100%-24px)] gap-2">
          <span className="truncate font-medium">{source.name}</span>
          {source.width !== undefined && source.height !== undefined && (
            <span className="num shrink-0 text-dim">
              {dimensions(source.width, source.height)}
              {source.fps !== undefined && `, ${source.fps} fps`}
            </span>
          )}
        </div>
      )}
      {session.state === 'live' && status.state === 'playing' && status.fps !== null && (
        <div
          className="tag num absolute right-3 bottom-3 text-dim"
          title="Pictures drawn here per second, over the last two"
        >
          preview {status.fps} fps
        </div>
      )}
      <Overlay session={session} />
      {session.state === 'live' && !unsupported && session.source.codec === 'hevc' && (
        <HevcWait shown={status.framesDrawn > 0} />
      )}
      {session.state === 'live' && unsupported && (
        <Message icon={<CircleAlert className="text-warn" />} title={unsupported.message} text={unsupported.remedy} />
      )}
      {session.state === 'live' && !unsupported && status.state === 'failed' && (
        <Message
          icon={<CircleAlert className="text-warn" />}
          title="The preview could not be decoded."
          text="It tries again with the next whole picture, within a second or two. Streaming and replay are not affected."
        />
      )}
    </section>
  );
}

/** HEVC is transcoded for this window: it takes a moment to begin, or the engine says why it cannot be. */
function HevcWait({ shown }: { shown: boolean }) {
  const problem = useStudio((state) => state.health.problems.find(({ code }) => code === 'preview-failed'));
  if (problem) {
    return <Message icon={<CircleAlert className="text-warn" />} title={problem.message} text={problem.remedy} />;
  }
  return shown ? null : (
    <Message
      icon={<Spinner />}
      title="Preparing the preview"
      text="This stream is HEVC, so a small copy is made for this window. Replay and saved clips keep the original."
    />
  );
}

function Overlay({ session }: { session: SessionState }) {
  switch (session.state) {
    case 'idle':
    case 'live':
      return null;
    case 'starting':
      if (isSentToUs(session.source.kind)) return <WaitingForSender source={session.source} />;
      return (
        <Message
          icon={<Spinner />}
          title={`Starting ${session.source.name}`}
          text="Starting the encoder and waiting for its first picture. If none comes in time, you will see why."
        />
      );
    case 'stalled':
      return <Stalled since={session.stalledSince} sent={isSentToUs(session.source.kind)} />;
    case 'reconnecting':
      return (
        <Message
          icon={<RefreshCw className="text-warn" />}
          title={`${session.reason.message}${session.attempt > 0 ? ` Starting it again, attempt ${session.attempt}.` : ''}`}
          text={session.reason.remedy}
        />
      );
    case 'stopping':
      return (
        <Message icon={<Spinner />} title="Stopping" text="Finishing the last picture. The replay stays in memory." />
      );
    case 'failed':
      return <Failed session={session} />;
  }
}

/** Another program decides when pictures come; what to set there, or what is wrong with what it sends, stands here. */
function WaitingForSender({ source }: { source: CaptureInfo }) {
  const hint = useStudio((state) => state.sources.find(({ id }) => id === source.id)?.hint);
  const problem = useStudio((state) => state.health.problems.find(({ code }) => code.startsWith('input-')));
  return (
    <Message
      icon={problem ? <CircleAlert className="text-warn" /> : <Spinner />}
      title={problem?.message ?? `Waiting for ${source.name}`}
      text={problem?.remedy ?? hint ?? 'It goes live with the first picture.'}
    />
  );
}

function Stalled({ since, sent }: { since: number; sent: boolean }) {
  const now = useNow();
  return (
    <Message
      icon={<PauseCircle className="text-warn" />}
      title={stalledSentence(since, now)}
      text={
        sent
          ? 'This is the last one. It goes on by itself as soon as pictures come; look whether the program that sends hangs or is paused.'
          : 'This is the last one. It goes on by itself as soon as the source draws again; check that it is not minimised.'
      }
    />
  );
}

function Failed({ session }: { session: Extract<SessionState, { state: 'failed' }> }) {
  const sources = useStudio((state) => state.sources);
  const connected = useConnected();
  const [busy, run] = useBusy();
  const again = session.source && sources.find(({ id, available }) => available && id === session.source?.id);
  return (
    <Message icon={<CircleAlert className="text-bad" />} title={session.error.message} text={session.error.remedy}>
      {again && (
        <Button look="primary" disabled={busy || !connected} onClick={() => run(() => startCapture(again.id))}>
          Start again
        </Button>
      )}
      <Button look={again ? 'plain' : 'primary'} onClick={() => openDialog({ kind: 'sources' })}>
        Choose another source
      </Button>
    </Message>
  );
}

const Spinner = () => <LoaderCircle className="animate-spin text-accent" />;

function Message(props: { icon: ReactNode; title: string; text: string; children?: ReactNode }) {
  return (
    <div className="absolute inset-0 grid place-items-center p-6">
      <div className="w-full max-w-md rounded-xl border border-line bg-[rgb(14_17_21/0.94)] p-6 text-center shadow-2xl shadow-black/50">
        <div aria-hidden className="mb-3 flex justify-center [&_svg]:size-7 [&_svg]:stroke-[1.6]">
          {props.icon}
        </div>
        <p className="num text-base font-semibold text-balance">{props.title}</p>
        <p className="mt-1.5 text-[13px] text-balance text-dim">{props.text}</p>
        {props.children && <div className="mt-4 flex flex-wrap justify-center gap-2">{props.children}</div>}
      </div>
    </div>
  );
}
