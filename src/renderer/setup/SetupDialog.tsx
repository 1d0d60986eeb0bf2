import { CircleCheck, CircleMinus, CircleX, Gauge, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { SetupCheck, SetupReport } from '../../contract/setup-test.ts';
import { cancelSetupTest, runSetupTest, updateSettings } from '../store/actions.ts';
import { showFailure } from '../store/failures.ts';
import { closeDialog, openDialog, useConnected, useStudio } from '../store/store.ts';
import { toErrorInfo } from '../../contract/errors.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { Modal } from '../ui/Modal.tsx';
import { Sentence } from '../ui/Sentence.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { isRunning } from '../words/session-words.ts';

const TITLES: Record<SetupCheck['id'], string> = {
  capture: 'Capture',
  encoder: 'Encoder',
  speed: 'Speed',
  preview: 'Preview',
  'audio-offset': 'Sound offset',
  disk: 'Disk',
  hotkey: 'Hotkeys',
  rtmp: 'Live address',
};

const RESULTS = {
  good: { word: 'Good', Icon: CircleCheck, colour: 'text-ok' },
  poor: { word: 'Poor', Icon: TriangleAlert, colour: 'text-warn' },
  failed: { word: 'Failed', Icon: CircleX, colour: 'text-bad' },
  skipped: { word: 'Not measured', Icon: CircleMinus, colour: 'text-dim' },
} as const;

/** Opens the setup test. */
export function SetupTestButton() {
  return (
    <Button size="small" onClick={() => openDialog({ kind: 'setup' })}>
      <Gauge size={14} aria-hidden />
      Test my setup
    </Button>
  );
}

/** Measures this computer, shows what was found and puts it into the settings. */
export function SetupDialog() {
  const test = useStudio((state) => state.setupTest);
  const capturing = useStudio((state) => isRunning(state.session));
  const connected = useConnected();
  const running = test.state === 'running';
  return (
    <Modal
      title="Test my setup"
      description="Measures for ten to thirty seconds what this computer can do, and recommends settings."
      width="max-w-2xl"
      onClose={closeDialog}
    >
      <div className="scroll min-h-0 px-5 py-4">
        {test.state === 'idle' && (
          <p className="text-dim">
            {capturing
              ? 'Something is being captured, and the test would disturb it. Stop streaming first; the replay is kept.'
              : 'Start the game first, so that its window is what is measured. Nothing is streamed, and the replay stays as it is.'}
          </p>
        )}
        {running && <Progress step={test.step} progress={test.progress} />}
        {test.state === 'failed' && <Sentence severity="error" {...test.error} />}
        {test.state === 'done' && <Report report={test.report} file={test.file} />}
      </div>
      <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3.5">
        {running ? (
          <Button onClick={() => void cancelSetupTest()}>Cancel the test</Button>
        ) : (
          <>
            <Button onClick={closeDialog}>Close</Button>
            <Button
              look={test.state === 'done' && test.report.recommendation ? 'plain' : 'primary'}
              disabled={capturing || !connected}
              onClick={() => void runSetupTest()}
            >
              {test.state === 'idle' ? 'Start the test' : 'Test again'}
            </Button>
            {test.state === 'done' && <UseThese report={test.report} />}
          </>
        )}
      </footer>
    </Modal>
  );
}

function Progress({ step, progress }: { step: string; progress: number }) {
  return (
    <div>
      <p role="status" className="flex items-center gap-2">
        <LoaderCircle size={16} aria-hidden className="animate-spin" />
        {step}…
      </p>
      <progress aria-label="Progress of the test" value={progress} max={1} className="mt-3 h-2 w-full accent-accent" />
    </div>
  );
}

function Report({ report, file }: { report: SetupReport; file: string }) {
  const { recommendation, checks, machine, seconds } = report;
  return (
    <div className="space-y-4">
      <p role="status" className="rounded-lg border border-line bg-raised/60 px-3.5 py-3 text-[15px] font-medium">
        {recommendation ? recommendation.sentence : 'Nothing can be recommended: see what failed below.'}
      </p>
      <ul className="space-y-2.5">
        {checks.map((check) => (
          <Check key={check.id} check={check} />
        ))}
      </ul>
      <p className="text-[12.5px] break-words text-dim">
        {machine.cpu}, {machine.cores} cores, ffmpeg {machine.ffmpeg}; measured for {seconds.toFixed(0)} s.
        {file !== '' && <> The report is kept as {file}</>}
      </p>
    </div>
  );
}

function Check({ check: { id, result, message, remedy } }: { check: SetupCheck }) {
  const { Icon, word, colour } = RESULTS[result];
  return (
    <li className="flex gap-2.5">
      <Icon size={17} aria-hidden className={cx('mt-0.5 shrink-0', colour)} />
      <div className="min-w-0 break-words">
        <span className="font-medium">{TITLES[id]}</span> <span className={cx('text-[12.5px]', colour)}>{word}</span>
        <div className="text-[13px]">{message}</div>
        {remedy !== undefined && <div className="text-[12.5px] text-dim">{remedy}</div>}
      </div>
    </li>
  );
}

function UseThese({ report: { recommendation } }: { report: SetupReport }) {
  const settings = useStudio((state) => state.settings);
  const [busy, run] = useBusy();
  if (!recommendation) return null;
  const { encoder, pictureSize, fps } = recommendation;
  const used = settings.encoder === encoder && settings.pictureSize === pictureSize && settings.fps === fps;
  const use = async (): Promise<void> => {
    try {
      await updateSettings({ encoder, pictureSize, fps });
    } catch (thrown) {
      showFailure(toErrorInfo(thrown));
    }
  };
  return (
    <Button look="primary" disabled={used || busy} onClick={() => run(use)}>
      {used ? 'These settings are used' : 'Use these settings'}
    </Button>
  );
}
