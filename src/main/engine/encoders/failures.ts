import { StudioError, type EncoderId } from '../../../contract/index.ts';
import { encoderName } from './table.ts';

type Rule = { pattern: RegExp; message: (name: string) => string; remedy: string };

const DRIVER = "Install or update the graphics card's driver, or choose another encoder.";

/** What encoders print when they cannot work; sources of the lines are with the tests. The first that matches tells. */
const RULES: readonly Rule[] = [
  {
    pattern: /Cannot load (lib|nv)cuda|Cannot load libnvidia-encode|Cannot load nvEncodeAPI/i,
    message: (name) => `${name} needs an NVIDIA graphics card and its driver, and they were not found.`,
    remedy: DRIVER,
  },
  {
    pattern: /does not support the required nvenc API version|minimum required Nvidia driver/i,
    message: (name) => `The NVIDIA driver is too old for ${name} in this ffmpeg.`,
    remedy: 'Update the NVIDIA driver, or use an older ffmpeg.',
  },
  {
    pattern: /OpenEncodeSessionEx failed: (out of memory|incompatible client key)/i,
    message: (name) => `${name} has no free encoder: other programs use them all.`,
    remedy: 'Close other programs that record or stream, or choose another encoder.',
  },
  {
    pattern: /No (NVENC )?capable devices found|Failed creating CUDA context|OpenEncodeSessionEx failed/i,
    message: (name) => `No graphics card here can encode with ${name}.`,
    remedy: DRIVER,
  },
  {
    pattern: /Error (initializing an internal|creating a) MFX session/i,
    message: (name) => `${name} needs an Intel graphics chip and its driver, and they were not found.`,
    remedy: DRIVER,
  },
  {
    pattern: /parameters are not supported by the QSV runtime|Current \w+( \w+)? is unsupported/i,
    message: (name) => `This Intel graphics chip or its driver cannot do what ${name} was asked for.`,
    remedy: 'Choose a smaller picture, fewer pictures per second or another encoder.',
  },
  {
    pattern: /amfrt\S* failed to open/i,
    message: (name) => `${name} needs an AMD graphics card and its driver, and they were not found.`,
    remedy: DRIVER,
  },
  {
    pattern: /encoder->Init\(\) failed|CreateComponent\(\S+\) failed|Failed to create derived AMF device/i,
    message: (name) => `This AMD graphics card could not start ${name}.`,
    remedy: DRIVER,
  },
  {
    pattern: /No VA display found|Failed to initiali[sz]e VAAPI connection|Cannot open a VA display/i,
    message: (name) => `${name} found no graphics card that this user may use.`,
    remedy: "Install the card's VA driver and join the group that owns /dev/dri (often video or render).",
  },
  {
    pattern: /No usable encoding (profile|entrypoint) found/i,
    message: (name) => `This graphics card cannot encode with ${name}.`,
    remedy: 'Choose another encoder.',
  },
  {
    pattern: /cannot create compression session/i,
    message: (name) => `This Mac has no free hardware encoder for ${name}.`,
    remedy: 'Close other programs that record or stream, or choose another encoder.',
  },
  {
    pattern: /Unknown encoder '/i,
    message: (name) => `This ffmpeg was built without ${name}.`,
    remedy: 'Install a full ffmpeg, or set FFMPEG_PATH to one.',
  },
  {
    pattern:
      /Error while opening encoder for output stream #0:0|Error while opening encoder - maybe incorrect parameters|Error submitting (a )?(video )?frame to the encoder|Video encoding failed|Error encoding a frame|Error during encoding/i,
    message: (name) => `${name} could not encode the picture.`,
    remedy: 'Choose another encoder; the log holds what it said.',
  },
];

/** Why an encoder failed, from what its ffmpeg printed; undefined when nothing there speaks of the encoder. */
export function encoderFailure(id: EncoderId, stderr: readonly string[], cause?: unknown): StudioError | undefined {
  const rule = RULES.find(({ pattern }) => stderr.some((line) => pattern.test(line)));
  return rule && new StudioError('encoder-failed', rule.message(encoderName(id)), rule.remedy, { cause });
}

/** An encoder that gave no picture without saying why. */
export const encoderMute = (id: EncoderId, cause?: unknown): StudioError =>
  new StudioError(
    'encoder-failed',
    `${encoderName(id)} gave no picture.`,
    'Choose another encoder; the log holds what it said.',
    { cause },
  );
