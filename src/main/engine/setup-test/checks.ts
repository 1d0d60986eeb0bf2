import type { FrameRate, HotkeyStatus, SetupCheck } from '../../../contract/index.ts';
import { ENOUGH_HEADROOM, type Recommendation } from './recommend.ts';
import type { TrialResult } from './trial-capture.ts';

/** What the checks are made from; null where something was not measured. */
export type Measured = {
  sourceName: string;
  targetFps: FrameRate;
  trial: TrialResult | null;
  /** why there is no trial */
  trialError: { message: string; remedy: string } | null;
  recommendation: Recommendation | null;
  /** headroom of the recommendation */
  headroom: number | null;
  /** MB/s, or why it could not be measured */
  disk: number | { error: string };
  hotkeys: readonly HotkeyStatus[];
  /** why there is no sound to capture; null when there is */
  soundUnavailable: string | null;
  /** why the live address was not tried; null when it was */
  rtmpSkipped: string | null;
};

const grade = (value: number, good: number, poor: number): 'good' | 'poor' | 'failed' =>
  value >= good ? 'good' : value >= poor ? 'poor' : 'failed';

/** Every check of the report, in the order in which it is read. Pure. */
export const checksOf = (measured: Measured): SetupCheck[] => [
  captureCheck(measured),
  speedCheck(measured),
  encoderCheck(measured),
  previewCheck(measured),
  audioCheck(measured),
  diskCheck(measured),
  hotkeyCheck(measured),
  rtmpCheck(measured),
];

function captureCheck({ sourceName, targetFps, trial, trialError }: Measured): SetupCheck {
  if (trial === null || trial.pictures === 0 || trial.fps === null) {
    return {
      id: 'capture',
      result: 'failed',
      message: trialError?.message ?? `No picture came from "${sourceName}".`,
      remedy: trialError?.remedy ?? 'Check that it is visible and may be recorded, then test again. The Help says how.',
    };
  }
  const result = grade(trial.fps / targetFps, 0.95, 0.8);
  return {
    id: 'capture',
    result,
    message: `"${sourceName}" at ${trial.width} x ${trial.height}: ${trial.fps.toFixed(1)} of ${targetFps} pictures per second.`,
    ...(result === 'good'
      ? {}
      : { remedy: 'Choose a smaller picture or fewer pictures per second, and close what uses the processor.' }),
  };
}

function speedCheck({ trial }: Measured): SetupCheck {
  if (typeof trial?.speed !== 'number')
    return { id: 'speed', result: 'skipped', message: 'Nothing was captured, so there is no speed.' };
  const result = grade(trial.speed, 0.98, 0.9);
  return {
    id: 'speed',
    result,
    message: `The encode ran at ${trial.speed.toFixed(2)} x real time; ${trial.duplicated} pictures were repeated and ${trial.dropped} dropped.`,
    ...(result === 'good'
      ? {}
      : { remedy: 'Below 1 the stream falls behind: choose a smaller picture or another encoder.' }),
  };
}

function encoderCheck({ recommendation, headroom }: Measured): SetupCheck {
  if (recommendation === null || headroom === null) {
    return {
      id: 'encoder',
      result: 'failed',
      message: 'No encoder here keeps up with 480p at 30 pictures per second.',
      remedy: "Close other programs, update the graphics card's driver, and test again.",
    };
  }
  const enough = headroom >= ENOUGH_HEADROOM;
  return {
    id: 'encoder',
    result: enough ? 'good' : 'poor',
    message: `${recommendation.sentence}, with nothing else running hard.`,
    ...(enough
      ? {}
      : { remedy: 'A game that gets busy may leave it too little: prefer a graphics card that encodes.' }),
  };
}

/** More than this and driving by the preview would be felt. */
const GOOD_AGE_MS = 150;

function previewCheck({ trial }: Measured): SetupCheck {
  if (typeof trial?.previewAgeMs !== 'number') {
    return {
      id: 'preview',
      result: 'skipped',
      message: 'The source does not say when a picture was taken, so its age is unknown.',
    };
  }
  const good = trial.previewAgeMs <= GOOD_AGE_MS;
  return {
    id: 'preview',
    result: good ? 'good' : 'poor',
    message: `A picture is at most ${trial.previewAgeMs} ms old when the preview gets it (drawing it comes on top).`,
    ...(good
      ? {}
      : { remedy: 'Choose a smaller picture or a faster encoder; B-frames and look-ahead hold pictures back.' }),
  };
}

const audioCheck = ({ soundUnavailable }: Measured): SetupCheck => ({
  id: 'audio-offset',
  result: 'skipped',
  message:
    soundUnavailable ??
    'Not measured: it needs something that flashes and beeps at the same moment. If sound is early or late, shift it in the settings.',
});

const GOOD_DISK = 20;

function diskCheck({ disk }: Measured): SetupCheck {
  if (typeof disk !== 'number') {
    return {
      id: 'disk',
      result: 'failed',
      message: `The clips folder cannot be written to: ${disk.error}.`,
      remedy: 'Choose another folder with --clips, or make room and give yourself the right to write there.',
    };
  }
  const good = disk >= GOOD_DISK;
  return {
    id: 'disk',
    result: good ? 'good' : 'poor',
    message: `The clips folder takes ${disk.toFixed(0)} MB per second.`,
    ...(good ? {} : { remedy: 'Saving a clip will take long: choose a folder on a faster disk.' }),
  };
}

function hotkeyCheck({ hotkeys }: Measured): SetupCheck {
  const refused = hotkeys.flatMap((key) => (key.state === 'unavailable' ? [key] : []))[0];
  if (refused) {
    return { id: 'hotkey', result: 'poor', message: refused.error.message, remedy: refused.error.remedy };
  }
  const held = hotkeys.flatMap((key) => (key.state === 'active' ? [key.accelerator] : []));
  if (held.length === 0) return { id: 'hotkey', result: 'skipped', message: 'No hotkey is set.' };
  return {
    id: 'hotkey',
    result: 'good',
    message: `${held.join(' and ')} ${held.length === 1 ? 'is' : 'are'} registered. Press one in the game to see that the game lets it through.`,
  };
}

function rtmpCheck({ trial, rtmpSkipped }: Measured): SetupCheck {
  if (rtmpSkipped !== null) return { id: 'rtmp', result: 'skipped', message: rtmpSkipped };
  if (typeof trial?.readerMs !== 'number') {
    return {
      id: 'rtmp',
      result: 'failed',
      message: 'A reader got no picture from the live address.',
      remedy: 'Check that no firewall blocks 127.0.0.1, and that the port of the live stream is free.',
    };
  }
  return {
    id: 'rtmp',
    result: 'good',
    message: `A reader of the live address had its first picture after ${(trial.readerMs / 1000).toFixed(1)} s.`,
  };
}
