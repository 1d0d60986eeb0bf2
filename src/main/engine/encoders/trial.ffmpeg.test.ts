import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogging } from '../logging/log.ts';
import { locateFfmpeg, type Ffmpeg } from '../ffmpeg/locate.ts';
import { tryEncoder } from './trial.ts';

const never = new AbortController().signal;

const located = async (): Promise<Ffmpeg> => {
  const logging = createLogging({
    folder: path.join(process.env['TMPDIR'] ?? '/tmp', 'pitwall-trial-logs'),
    stderr: false,
  });
  try {
    return await locateFfmpeg(process.env, logging.log);
  } finally {
    logging.close();
  }
};

describe('a trial with the real ffmpeg', () => {
  it.each(['libx264', 'libx265'] as const)('%s works', { timeout: 30_000 }, async (id) => {
    expect(await tryEncoder(id, await located(), null, never)).toBeGreaterThan(5);
  });

  it.each(['h264_nvenc', 'h264_vaapi', 'hevc_qsv', 'hevc_amf'] as const)(
    '%s says why it does not, where it does not',
    { timeout: 30_000 },
    async (id) => {
      const outcome: unknown = await tryEncoder(id, await located(), null, never).catch((error: unknown) => error);
      // a machine with the card has it working
      if (typeof outcome === 'number') return;
      expect(outcome).toMatchObject({ code: 'encoder-failed' });
      expect(String(outcome)).toMatch(/NVENC|VAAPI|Quick Sync|AMF/);
    },
  );

  it('ends when it is cancelled', async () => {
    const ffmpeg = await located();
    const cancel = new AbortController();
    const trial = tryEncoder('libx265', ffmpeg, null, cancel.signal);
    cancel.abort();
    await expect(trial).rejects.toMatchObject({ code: 'cancelled' });
  });
});
