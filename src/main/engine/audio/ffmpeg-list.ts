import type { AudioDevice } from '../../../contract/index.ts';

/** Virtual devices that other programs' output can be sent to on macOS, which has no other way to hear it. */
const LOOPBACK = /blackhole|soundflower|loopback|vb-?cable|background music/i;
/** Windows: virtual-audio-capturer of screen-capture-recorder, VB-Cable, and the card's own mix in the languages we know its name in. */
const DSHOW_LOOPBACK =
  /virtual-audio-capturer|stereo mix|stereomix|mixage stéréo|mezcla estéreo|missaggio stereo|what u hear|wave out mix|cable output/i;

/** The audio part of `ffmpeg -f avfoundation -list_devices true -i ""`. The id is the name: numbers change when something is plugged in. */
export function parseAvfoundationAudio(text: string): AudioDevice[] {
  const devices: AudioDevice[] = [];
  let audio = false;
  for (const line of text.split(/\r?\n/)) {
    if (line.includes('AVFoundation video devices:')) audio = false;
    else if (line.includes('AVFoundation audio devices:')) audio = true;
    else if (audio) {
      const [, name] = /\] \[\d+\] (.+)$/.exec(line) ?? [];
      if (name !== undefined) devices.push(device(name.trim(), name.trim(), LOOPBACK));
    }
  }
  return withDefaults(devices);
}

/** The audio part of `ffmpeg -f dshow -list_devices true -i dummy`, with headings (up to 4.4) or with the kind behind each name (since 5.0). */
export function parseDshowAudio(text: string): AudioDevice[] {
  const devices: AudioDevice[] = [];
  let heading = false;
  let last: AudioDevice | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.includes('DirectShow video devices')) heading = false;
    else if (line.includes('DirectShow audio devices')) heading = true;
    const [, alternative] = /Alternative name "(.+)"\s*$/.exec(line) ?? [];
    if (alternative !== undefined) {
      if (last) last.id = alternative.slice(0, 512);
      last = undefined;
      continue;
    }
    const [, name, kind] = /\]\s+"(.+)"(?: \((audio|video|none|audio, video)\))?\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const audio = kind === undefined ? heading : kind.startsWith('audio');
    last = audio ? device(name, name, DSHOW_LOOPBACK) : undefined;
    if (last) devices.push(last);
  }
  return withDefaults(devices);
}

const device = (id: string, name: string, loopback: RegExp): AudioDevice => ({
  id: id.slice(0, 512),
  name: name.slice(0, 512),
  role: loopback.test(name) ? 'desktop' : 'microphone',
  isDefault: false,
});

/** These lists name no default: the first of each kind is as good. */
function withDefaults(devices: AudioDevice[]): AudioDevice[] {
  return devices.map((each) => ({ ...each, isDefault: devices.find(({ role }) => role === each.role) === each }));
}
