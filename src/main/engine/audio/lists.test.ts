import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AudioDevice } from '../../../contract/index.ts';
import { resolvePick } from './devices.ts';
import { parseAvfoundationAudio, parseDshowAudio } from './ffmpeg-list.ts';
import { isDeviceEvent, parseFfmpegSources, parsePulse } from './pulse-list.ts';
import { StampParser } from './reader.ts';

const fixture = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, '../../../../test/fixtures/audio', name), 'utf8');

const brief = (devices: readonly AudioDevice[]): string[] =>
  devices.map(({ id, name, role, isDefault }) => `${role} ${id} [${name}]${isDefault ? ' default' : ''}`);

describe('devices of a sound server', () => {
  it('are its monitors as desktop sound under the name of their output, everything else a microphone', () => {
    const { devices, playing } = parsePulse(
      fixture('pulse-16.1-info.json'),
      fixture('pulse-16.1-sources.json'),
      fixture('pulse-16.1-sinks.json'),
    );
    expect(brief(devices)).toEqual([
      'desktop game.monitor [Game] default',
      'desktop voice.monitor [Voice]',
      'microphone headset [Headset] default',
    ]);
    expect(playing).toContain('game.monitor');
  });

  it('of PipeWire read alike', () => {
    // trimmed output of pactl on PipeWire 1.6.9 and 1.2.7, as public projects keep it for their own tests
    const info =
      '{"server_name":"PulseAudio (on PipeWire 1.6.9)","default_sink_name":"alsa_output.usb-Razer-00.analog-stereo","default_source_name":"alsa_input.usb-webcam-02.mono-fallback"}';
    const sinks =
      '[{"index":60,"state":"SUSPENDED","name":"alsa_output.pci-0000_2f_00.4.iec958-stereo","description":"Starship/Matisse HD Audio Controller Digital Stereo (IEC958)","driver":"PipeWire","properties":{"device.class":"sound"}},{"index":61,"state":"RUNNING","name":"alsa_output.usb-Razer-00.analog-stereo","description":"Razer Leviathan V2 Analog Stereo","driver":"PipeWire","properties":{}}]';
    const sources =
      '[{"index":70,"name":"alsa_input.usb-webcam-02.mono-fallback","description":"Full HD webcam Mono","properties":{}},{"index":71,"name":"alsa_output.usb-Razer-00.analog-stereo.monitor","description":"Monitor of Razer Leviathan V2 Analog Stereo","properties":{}}]';
    const { devices, playing } = parsePulse(info, sources, sinks);
    expect(brief(devices)).toEqual([
      'microphone alsa_input.usb-webcam-02.mono-fallback [Full HD webcam Mono] default',
      'desktop alsa_output.usb-Razer-00.analog-stereo.monitor [Razer Leviathan V2 Analog Stereo] default',
    ]);
    expect(playing).toEqual(['alsa_output.usb-Razer-00.analog-stereo.monitor']);
  });

  it('of no server are no list', () => {
    expect(() => parsePulse('Connection failure: Connection refused', '[]', '[]')).toThrow();
    expect(parseFfmpegSources('Auto-detected sources for pulse:\nCannot list sources: Generic error\n')).toEqual([]);
  });

  it('are told by ffmpeg too', () => {
    expect(brief(parseFfmpegSources(fixture('ffmpeg-sources-5.1.9.txt')))).toEqual([
      'desktop game.monitor [Game]',
      'desktop voice.monitor [Voice]',
      'microphone headset [Headset] default',
    ]);
  });

  it('change by events of devices, not of players (pactl subscribe 16.1)', () => {
    expect(isDeviceEvent("Event 'new' on source #3")).toBe(true);
    expect(isDeviceEvent("Event 'change' on server #4294967295")).toBe(true);
    expect(isDeviceEvent("Event 'change' on sink-input #10")).toBe(false);
    expect(isDeviceEvent("Event 'new' on source-output #10")).toBe(false);
    expect(isDeviceEvent("Event 'change' on client #21")).toBe(false);
  });
});

describe('devices ffmpeg lists', () => {
  it('on macOS (the M1 listing of the project; BlackHole as public listings show it)', () => {
    const listing = `[AVFoundation indev @ 0x126e04d50] AVFoundation video devices:
[AVFoundation indev @ 0x126e04d50] [0] OBS Virtual Camera
[AVFoundation indev @ 0x126e04d50] [1] FaceTime HD Camera
[AVFoundation indev @ 0x126e04d50] [2] Capture screen 0
[AVFoundation indev @ 0x126e04d50] AVFoundation audio devices:
[AVFoundation indev @ 0x126e04d50] [0] MacBook Pro Microphone`;
    expect(brief(parseAvfoundationAudio(listing))).toEqual([
      'microphone MacBook Pro Microphone [MacBook Pro Microphone] default',
    ]);
    expect(brief(parseAvfoundationAudio(`${listing}\n[AVFoundation indev @ 0x126e04d50] [1] BlackHole 2ch`))).toEqual([
      'microphone MacBook Pro Microphone [MacBook Pro Microphone] default',
      'desktop BlackHole 2ch [BlackHole 2ch] default',
    ]);
  });

  it('on Windows with the kind behind each name (ffmpeg 7.1; a public issue about screen-capture-recorder)', () => {
    const listing = String.raw`[dshow @ 0000027C64A3F480] "screen-capture-recorder" (video)
[dshow @ 0000027C64A3F480]   Alternative name "@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\{4EA69364-2C8A-4AE6-A561-56E4B5044439}"
[dshow @ 0000027C64A3F480] "OBS Virtual Camera" (none)
[dshow @ 0000027C64A3F480]   Alternative name "@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
[dshow @ 0000027C64A3F480] "Microphone Array (Intel® Smart Sound Technology for Digital Microphones)" (audio)
[dshow @ 0000027C64A3F480]   Alternative name "@device_cm_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\wave_{EC8DD06B-CF20-455D-A80E-F56B4BD1D8AE}"
[dshow @ 0000027C64A3F480] "virtual-audio-capturer" (audio)
[dshow @ 0000027C64A3F480]   Alternative name "@device_sw_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\{8E146464-DB61-4309-AFA1-3578E927E935}"
[in#0 @ 0000027C64A3F200] Error opening input: Immediate exit requested`;
    expect(brief(parseDshowAudio(listing))).toEqual([
      String.raw`microphone @device_cm_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\wave_{EC8DD06B-CF20-455D-A80E-F56B4BD1D8AE} [Microphone Array (Intel® Smart Sound Technology for Digital Microphones)] default`,
      String.raw`desktop @device_sw_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\{8E146464-DB61-4309-AFA1-3578E927E935} [virtual-audio-capturer] default`,
    ]);
  });

  it('on Windows under headings (ffmpeg up to 4.4; the listing of a public webcam guide)', () => {
    const listing = `[dshow @ 029e2ae0] DirectShow video devices (some may be both video and audio devices)
[dshow @ 029e2ae0]  "HD Webcam [Fixed]"
[dshow @ 029e2ae0] DirectShow audio devices
[dshow @ 029e2ae0]  "Stereo Mix (Realtek(R) Audio)"
[dshow @ 029e2ae0]  "Microphone Array (Realtek(R) Audio)"
[dshow @ 029e2ae0]     Alternative name "@device_cm_{abc}"
dummy: Immediate exit requested`;
    expect(brief(parseDshowAudio(listing))).toEqual([
      'desktop Stereo Mix (Realtek(R) Audio) [Stereo Mix (Realtek(R) Audio)] default',
      'microphone @device_cm_{abc} [Microphone Array (Realtek(R) Audio)] default',
    ]);
  });
});

describe('a pick', () => {
  const devices: AudioDevice[] = [
    { id: 'a', name: 'Speakers', role: 'desktop', isDefault: false },
    { id: 'b', name: 'Headphones', role: 'desktop', isDefault: true },
    { id: 'c', name: 'Headset', role: 'microphone', isDefault: false },
  ];
  const pick = (device: { id: string; name: string } | null): string | undefined =>
    resolvePick({ enabled: true, device }, 'desktop', devices)?.id;

  it('is found by its id, then by its name, and is the default where none is named', () => {
    expect(pick({ id: 'a', name: 'Headphones' })).toBe('a');
    expect(pick({ id: 'gone', name: 'Headphones' })).toBe('b');
    expect(pick({ id: 'gone', name: 'Gone' })).toBeUndefined();
    expect(pick(null)).toBe('b');
    expect(resolvePick({ enabled: true, device: null }, 'microphone', devices)?.id).toBe('c');
    expect(resolvePick({ enabled: true, device: null }, 'microphone', [])).toBeUndefined();
  });
});

describe('stamps of samples', () => {
  it('are read from the lines of framecrc (ffmpeg 5.1.9, PulseAudio 16.1)', () => {
    const parser = new StampParser();
    const lines = [
      '#software: Lavf59.27.100',
      '#tb 0: 1/1000000',
      '#media_type 0: audio',
      '0, 1795251351215246, 1795251351215246,    10000,     1920, 0x00000000',
    ];
    expect(lines.flatMap((line) => parser.push(line) ?? [])).toEqual([{ seconds: 1795251351.215246, bytes: 1920 }]);
  });
});
