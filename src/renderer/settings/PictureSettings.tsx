import { CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react';
import type { EncoderStatus } from '../../contract/encoders.ts';
import { testEncoders } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { useBusy } from '../ui/useBusy.ts';
import { ENCODER_WORDS, QUALITY_WORDS, automaticEncoder, trialWords } from '../words/encoder-words.ts';
import { CONTROL } from './control.ts';
import type { Field, FormErrors, SettingsForm } from './form.ts';
import { Row } from './Row.tsx';

const SIZES = [
  ['source', 'As the source'],
  ['1080p', 'At most 1080 lines'],
  ['720p', 'At most 720 lines'],
  ['480p', 'At most 480 lines'],
] as const;

type Props = {
  form: SettingsForm;
  errors: FormErrors;
  set: (field: Field) => (value: string) => void;
  setRaisePriority: (on: boolean) => void;
  /** what a change of this group waits for */
  nextStart: string | undefined;
};

/** How the picture is made: size and rate, who encodes it and how well. */
export function PictureSettings({ form, errors, set, setRaisePriority, nextStart }: Props) {
  const encoders = useStudio((state) => state.encoders);
  const priority = useStudio(({ session }) => ('source' in session ? session.source?.priority : undefined));
  const chosen = encoders.find(({ id }) => id === form.encoder);
  const codec = chosen?.codec ?? (form.codec === 'hevc' ? 'hevc' : 'h264');
  const choose = (field: Field, options: readonly (readonly [string, string])[]) => (
    <select
      id={field}
      className={cx(CONTROL, 'max-w-full')}
      value={form[field]}
      onChange={(event) => set(field)(event.target.value)}
    >
      {options.map(([value, words]) => (
        <option key={value} value={value}>
          {words}
        </option>
      ))}
    </select>
  );
  const offered = encoders.map(({ id }) => [id, ENCODER_WORDS[id]] as const);
  const byItself = `Automatic (now ${ENCODER_WORDS[automaticEncoder(encoders, codec)]})`;
  return (
    <>
      <Row label="Frame rate" id="fps" note={nextStart}>
        {choose('fps', [
          ['30', '30 pictures per second'],
          ['60', '60 pictures per second'],
          ['120', '120 pictures per second'],
        ])}
      </Row>
      <Row label="Picture size" id="pictureSize" note={nextStart}>
        {choose('pictureSize', SIZES)}
      </Row>
      <Row
        label="Codec"
        id="codec"
        note={
          chosen
            ? 'The encoder chosen below decides.'
            : 'HEVC needs less room for the same picture; not every reader of the live address plays it.'
        }
      >
        {choose('codec', [
          ['h264', 'H.264'],
          ['hevc', 'HEVC (H.265)'],
        ])}
      </Row>
      <Row
        label="Encoder"
        id="encoder"
        note={
          chosen?.error
            ? `${chosen.error.message} ${chosen.error.remedy}`
            : 'If it fails, the next best one takes over by itself.'
        }
      >
        {choose('encoder', [['auto', byItself], ...offered])}
      </Row>
      <Row label="Tested here">
        <Trials encoders={encoders} />
      </Row>
      <Row
        label="Quality"
        id="quality"
        note={
          form.quality === 'quality' && chosen?.id.endsWith('_nvenc')
            ? 'NVENC then looks 32 pictures ahead and uses B-frames: the live picture comes about half a second later.'
            : undefined
        }
      >
        {choose('quality', Object.entries(QUALITY_WORDS))}
      </Row>
      <Row label="Bitrate" id="bitrateKbps" note="Empty: as much as the quality needs." error={errors.bitrateKbps}>
        <div className="flex items-center gap-2">
          <input
            id="bitrateKbps"
            inputMode="numeric"
            autoComplete="off"
            placeholder="by quality"
            className={cx(CONTROL, 'num w-28')}
            value={form.bitrateKbps}
            aria-invalid={errors.bitrateKbps !== undefined}
            aria-describedby="bitrateKbps-note"
            onChange={(event) => set('bitrateKbps')(event.target.value)}
          />
          <span className="text-[13px] text-dim">kbit/s</span>
        </div>
      </Row>
      <Row
        label="Priority"
        id="raisePriority"
        note={
          priority === undefined
            ? 'As far as this user may; nobody is asked for a password.'
            : `The running capture: ${priority}.`
        }
      >
        <label className="flex min-h-9 items-center gap-2 text-[13px]">
          <input
            id="raisePriority"
            type="checkbox"
            className="size-4 accent-accent"
            checked={form.raisePriority}
            aria-describedby="raisePriority-note"
            onChange={(event) => setRaisePriority(event.target.checked)}
          />
          Capture before other programs
        </label>
      </Row>
    </>
  );
}

/** What each encoder can do on this computer, and a button that finds out anew. */
function Trials({ encoders }: { encoders: readonly EncoderStatus[] }) {
  const connected = useConnected();
  const [busy, run] = useBusy();
  const testing = busy || encoders.some(({ state }) => state === 'testing');
  const working = encoders.filter(({ state }) => state === 'works').length;
  const tried = encoders.filter(({ state }) => state === 'works' || state === 'failed').length;
  // what was not tried yet is neither: trials wait while something is captured
  const open = encoders.length - tried;
  const summary =
    tried === 0
      ? 'Not tested yet'
      : `${working} of ${tried} ${open === 0 ? 'work on this computer' : `tested so far work, ${open} to go`}`;
  return (
    <div className="grid gap-2">
      <details className="rounded-lg border border-edge px-3 py-2 text-[12.5px]">
        <summary className="cursor-pointer">{summary}</summary>
        <ul aria-label="Encoders of this computer" className="mt-2 grid gap-1.5">
          {encoders.map((encoder) => (
            <Trial key={encoder.id} encoder={encoder} />
          ))}
        </ul>
      </details>
      <div>
        <Button disabled={!connected || testing} onClick={() => run(testEncoders)}>
          {testing ? 'Testing…' : 'Test again'}
        </Button>
      </div>
    </div>
  );
}

function Trial({ encoder }: { encoder: EncoderStatus }) {
  const { words, good } = trialWords(encoder);
  const Icon =
    good === true ? CircleCheck : good === false ? CircleX : encoder.state === 'testing' ? LoaderCircle : CircleDashed;
  return (
    <li className="flex gap-2" data-encoder={encoder.id} data-state={encoder.state}>
      <Icon
        size={14}
        aria-hidden
        className={cx('mt-0.5 shrink-0', good === true ? 'text-ok' : good === false ? 'text-bad' : 'text-dim')}
      />
      <div className="min-w-0">
        <span className="font-medium">{ENCODER_WORDS[encoder.id]}</span>{' '}
        <span className="text-dim">{encoder.error?.message ?? words}</span>
      </div>
    </li>
  );
}
