import type { AudioPick, AudioRole } from '../../contract/audio.ts';
import { useStudio } from '../store/store.ts';
import { cx } from '../ui/cx.ts';
import { CONTROL } from './control.ts';
import type { AudioForm } from './form.ts';
import { Group } from './Group.tsx';
import { Row } from './Row.tsx';

const WORDS: Record<AudioRole, { label: string; capture: string; byDefault: string }> = {
  desktop: { label: 'Desktop sound', capture: 'Capture what the computer plays', byDefault: 'Default output' },
  microphone: { label: 'Microphone', capture: 'Capture a microphone', byDefault: 'Default microphone' },
};

type Props = { form: AudioForm; error: string | undefined; onChange: (form: AudioForm) => void };

/** What is heard with the picture. */
export function SoundGroup({ form, error, onChange }: Props) {
  const unavailable = useStudio((state) => state.audio.unavailable);
  const both = form.desktop.enabled && form.microphone.enabled;
  return (
    <Group title="Sound">
      <DeviceRow
        role="desktop"
        note={unavailable}
        pick={form.desktop}
        onChange={(desktop) => onChange({ ...form, desktop })}
      />
      <DeviceRow
        role="microphone"
        note={
          both
            ? 'Both are mixed in the first track, which the live address carries; clips hold each by itself too.'
            : null
        }
        pick={form.microphone}
        onChange={(microphone) => onChange({ ...form, microphone })}
      />
      <Row
        label="Sound later by"
        id="offsetMs"
        note="When the sound comes before its picture; a negative number moves it forward."
        error={error}
      >
        <div className="flex items-center gap-2">
          <input
            id="offsetMs"
            inputMode="decimal"
            autoComplete="off"
            className={cx(CONTROL, 'num w-28')}
            value={form.offsetMs}
            aria-invalid={error !== undefined}
            aria-describedby="offsetMs-note"
            onChange={(event) => onChange({ ...form, offsetMs: event.target.value })}
          />
          <span className="text-[13px] text-dim">ms</span>
        </div>
      </Row>
    </Group>
  );
}

function DeviceRow({
  role,
  note,
  pick,
  onChange,
}: {
  role: AudioRole;
  note: string | null;
  pick: AudioPick;
  onChange: (pick: AudioPick) => void;
}) {
  const devices = useStudio((state) => state.audio.devices);
  const { label, capture, byDefault } = WORDS[role];
  const chosen = pick.device;
  // a device whose id changed is found by its name, as the engine does
  const present =
    chosen && (devices.find(({ id }) => id === chosen.id) ?? devices.find(({ name }) => name === chosen.name));
  const offered = devices.filter((device) => device.role === role || device === present);
  const standard = devices.find((device) => device.role === role && device.isDefault);
  return (
    <Row label={label} id={role} note={note ?? undefined}>
      <label className="flex min-h-9 items-center gap-2 text-[13px]">
        <input
          id={role}
          type="checkbox"
          className="size-4 accent-accent"
          checked={pick.enabled}
          aria-describedby={note === null ? undefined : `${role}-note`}
          onChange={(event) => onChange({ ...pick, enabled: event.target.checked })}
        />
        {capture}
      </label>
      {pick.enabled && (
        <select
          aria-label={`${label}: device`}
          className={cx(CONTROL, 'w-full')}
          value={present?.id ?? chosen?.id ?? ''}
          onChange={(event) => {
            const device = devices.find(({ id }) => id === event.target.value);
            onChange({ ...pick, device: device ? { id: device.id, name: device.name } : null });
          }}
        >
          <option value="">{standard ? `${byDefault} (${standard.name})` : byDefault}</option>
          {chosen && !present && <option value={chosen.id}>{chosen.name} (not there)</option>}
          {offered.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Row>
  );
}
