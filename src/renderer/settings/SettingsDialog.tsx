import { FolderOpen } from 'lucide-react';
import { useRef, useState } from 'react';
import { type ErrorInfo, toErrorInfo } from '../../contract/errors.ts';
import { openClipsFolder, updateSettings } from '../store/actions.ts';
import { closeDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { Modal } from '../ui/Modal.tsx';
import { Sentence } from '../ui/Sentence.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { span } from '../words/format.ts';
import type { SettingsGroup } from '../words/problem-words.ts';
import { isRunning } from '../words/session-words.ts';
import { CONTROL } from './control.ts';
import { type Field, type FormErrors, formOf, megabytesFor, readForm, type SettingsForm } from './form.ts';
import { HotkeyField } from './HotkeyField.tsx';
import { KeyField } from './KeyField.tsx';
import { PictureSettings } from './PictureSettings.tsx';
import { PresetsEditor } from './PresetsEditor.tsx';
import { Group } from './Group.tsx';
import { Row } from './Row.tsx';
import { SoundGroup } from './SoundGroup.tsx';

/** `group` is the title of the group it begins with, the first one without. */
export function SettingsDialog({ group }: { group?: SettingsGroup | undefined }) {
  const { settings, hotkeys, app, health, session } = useStudio((state) => state);
  const connected = useConnected();
  const [form, setForm] = useState(() => formOf(settings));
  const [failure, setFailure] = useState<ErrorInfo | null>(null);
  const [saving, run] = useBusy();
  const groups = useRef<HTMLDivElement>(null);
  const beginWithGroup = (event: Event): void => {
    const wanted = [...(groups.current?.querySelectorAll('fieldset') ?? [])].find(
      (fieldset) => fieldset.querySelector('legend')?.textContent === group,
    );
    if (!wanted) return;
    event.preventDefault();
    wanted.scrollIntoView({ block: 'start' });
    wanted.querySelector<HTMLElement>('select, input, button')?.focus();
  };
  const read = readForm(form, settings);
  const errors: FormErrors = read.ok ? {} : read.errors;
  const running = isRunning(session);
  const set = (field: Field) => (value: string) => setForm((before) => ({ ...before, [field]: value }));

  const save = (): void => {
    if (!read.ok) return;
    if (Object.keys(read.patch).length === 0) {
      closeDialog();
      return;
    }
    run(async () => {
      try {
        await updateSettings(read.patch);
        closeDialog();
      } catch (thrown) {
        setFailure(toErrorInfo(thrown));
      }
    });
  };

  const nextStart = running ? 'Takes effect at the next start of streaming.' : undefined;
  return (
    <Modal
      title="Settings"
      width="max-w-xl"
      onClose={closeDialog}
      onOpenAutoFocus={beginWithGroup}
      onEscapeKeyDown={keepOpenWhileRecording}
    >
      <form
        noValidate
        className="flex min-h-0 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div ref={groups} className="scroll grid min-h-0 gap-5 px-5 py-4">
          <Group title="Picture">
            <PictureSettings
              {...{ form, errors, set, nextStart }}
              setRaisePriority={(raisePriority) => setForm((before) => ({ ...before, raisePriority }))}
            />
          </Group>
          <SoundGroup
            form={form.audio}
            error={errors.offsetMs}
            onChange={(audio) => setForm((before) => ({ ...before, audio }))}
          />
          <Group title="Replay">
            <NumberRow field="replaySeconds" label="Keep at most" unit="seconds" {...{ form, errors, set }} />
            <NumberRow
              field="replayMegabytes"
              label="In memory, at most"
              unit="MB"
              note={memoryNote(form, health.bitrateKbps)}
              {...{ form, errors, set }}
            />
            <Row
              label="Crash-safe"
              id="mirror"
              note="What comes from now on is written to the disk too, as much as memory holds. After a crash or power cut the next start offers it as a clip; a clean end deletes it."
            >
              <label className="flex min-h-9 items-center gap-2 text-[13px]">
                <input
                  id="mirror"
                  type="checkbox"
                  className="size-4 accent-accent"
                  checked={form.mirror}
                  aria-describedby="mirror-note"
                  onChange={(event) => setForm((before) => ({ ...before, mirror: event.target.checked }))}
                />
                Survive a crash of Pitwall
              </label>
            </Row>
            <Row label="Hotkey for a mark">
              <HotkeyField
                name="Mark"
                noteId="markHotkey-note"
                value={form.markHotkey}
                onChange={set('markHotkey')}
                status={hotkeys.find(({ id }) => id === 'mark')}
                note="Hotkeys work while the game has the keyboard. Click, then press the key."
                error={errors.markHotkey}
              />
            </Row>
          </Group>
          <Group title="Save buttons">
            <PresetsEditor
              presets={form.savePresets}
              onChange={(savePresets) => setForm((before) => ({ ...before, savePresets }))}
              hotkeys={hotkeys}
              errors={errors.presets ?? {}}
            />
          </Group>
          <Group title="Clips">
            <Row label="Folder">
              <div className="flex min-w-0 items-start gap-2">
                <span className="min-w-0 flex-1 py-2 text-[13px] break-all text-dim">{app.clipsFolder}</span>
                <Button disabled={!connected} onClick={() => void openClipsFolder()}>
                  <FolderOpen size={15} aria-hidden />
                  Open folder
                </Button>
              </div>
            </Row>
            <Row
              label="Second folder"
              id="fallbackClipsFolder"
              note="Used by itself when the first cannot be written to, for instance when its disk is full."
              error={errors.fallbackClipsFolder}
            >
              <input
                id="fallbackClipsFolder"
                autoComplete="off"
                spellCheck={false}
                placeholder="clips, beside the settings"
                className={cx(CONTROL, 'w-full')}
                value={form.fallbackClipsFolder}
                aria-invalid={errors.fallbackClipsFolder !== undefined}
                aria-describedby="fallbackClipsFolder-note"
                onChange={(event) => set('fallbackClipsFolder')(event.target.value)}
              />
            </Row>
          </Group>
          <Group title="Live address">
            <Row
              label="Name"
              id="streamKey"
              note="The end of the address, /live/NAME. After a change readers have to open the new one."
              error={errors.streamKey}
            >
              <input
                id="streamKey"
                autoComplete="off"
                spellCheck={false}
                maxLength={64}
                className={cx(CONTROL, 'w-full')}
                value={form.streamKey}
                aria-invalid={errors.streamKey !== undefined}
                aria-describedby="streamKey-note"
                onChange={(event) => set('streamKey')(event.target.value)}
              />
            </Row>
            <Row
              label="Key for readers"
              id="playKey"
              note="Programs that read the stream then need ?key=… behind the address. Empty: none is needed."
              error={errors.playKey}
            >
              <KeyField id="playKey" what="the key for readers" {...{ form, errors, set }} />
            </Row>
            <Row
              label="Key for publishers"
              id="publishKey"
              note="Other programs that send a stream here, such as OBS, then need ?key=… behind their stream key."
              error={errors.publishKey}
            >
              <KeyField id="publishKey" what="the key for publishers" {...{ form, errors, set }} />
            </Row>
          </Group>
        </div>
        {failure && (
          <div role="alert" className="px-5 pb-4">
            <Sentence severity="error" message={failure.message} remedy={failure.remedy} />
          </div>
        )}
        <footer className="flex items-center gap-2 border-t border-line px-5 py-3.5">
          <span className="flex-1 text-xs text-faint">Pitwall {app.version}</span>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!read.ok || !connected || saving}>
            Save settings
          </Button>
        </footer>
      </form>
    </Modal>
  );
}

function keepOpenWhileRecording(event: Event): void {
  if (document.querySelector('[data-recording-hotkey]')) event.preventDefault();
}

function memoryNote(form: SettingsForm, bitrateKbps: number | null): string | undefined {
  const seconds = Number(form.replaySeconds);
  if (!bitrateKbps || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return `At the present bitrate ${span(seconds)} take about ${megabytesFor(seconds, bitrateKbps)} MB.`;
}

function NumberRow(props: {
  field: 'replaySeconds' | 'replayMegabytes';
  label: string;
  unit: string;
  note?: string | undefined;
  form: SettingsForm;
  errors: FormErrors;
  set: (field: Field) => (value: string) => void;
}) {
  const { field, label, unit, note, form, errors, set } = props;
  const error = errors[field];
  return (
    <Row label={label} id={field} note={note} error={error}>
      <div className="flex items-center gap-2">
        <input
          id={field}
          inputMode="decimal"
          autoComplete="off"
          className={cx(CONTROL, 'num w-28')}
          value={form[field]}
          aria-invalid={error !== undefined}
          aria-describedby={`${field}-note`}
          onChange={(event) => set(field)(event.target.value)}
        />
        <span className="text-[13px] text-dim">{unit}</span>
      </div>
    </Row>
  );
}
