import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WATCH } from '../capture/args.ts';
import { PictureWatch, isBlack, type PictureLook } from './picture-watch.ts';

const { width, height, frameBytes: POINTS } = WATCH;

/** What the capture's watch output makes of a real picture source: pictures of 64x36 points, four per second. */
async function watched(source: string, seconds: number, chain = 'format=bgr0'): Promise<Uint8Array[]> {
  const filters = `${chain},fps=4,scale=${width}:${height}:flags=fast_bilinear,format=gray`;
  const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds), '-vf', filters];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...input, '-f', 'rawvideo', 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  for await (const chunk of ffmpeg.stdout) if (chunk instanceof Buffer) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return Array.from({ length: Math.floor(bytes.length / POINTS) }, (_, i) =>
    bytes.subarray(i * POINTS, (i + 1) * POINTS),
  );
}

function looks(pictures: readonly Uint8Array[]): PictureLook[] {
  const watch = new PictureWatch();
  return pictures.map((picture, i) => watch.add(i / 4, picture));
}

const SIZE = 'size=1280x720:rate=8';
/** a lit road under a black sky: a little light far away, and what a sensor or a film-grain shader adds */
const NIGHT = `color=c=black:${SIZE},drawbox=x=500:y=400:w=280:h=60:c=0x2a2618:t=fill,drawbox=x=610:y=390:w=30:h=12:c=0xd0d0c0:t=fill`;

describe('black', () => {
  it.each([
    ['a black window', `color=c=black:${SIZE}`, 'format=bgr0'],
    ['black in the limited range of video', `color=c=black:${SIZE}`, 'format=yuv420p'],
    ['black with a mouse pointer', `color=c=black:${SIZE},drawbox=x=600:y=300:w=16:h=24:c=white:t=fill`, 'format=bgr0'],
    ['what a capture device calls black', `color=c=0x010102:${SIZE}`, 'format=bgr0'],
  ])('is %s', async (_what, source, chain) => {
    const pictures = await watched(source, 3, chain);
    expect(pictures.length).toBeGreaterThan(8);
    expect(looks(pictures).at(-1)?.black).toEqual({ since: 0, fromStart: true });
  });

  it.each([
    ['a night race without a grain of noise', NIGHT],
    ['a dark scene with noise', `color=c=0x0a0a0c:${SIZE},noise=alls=12:allf=t`],
    ['a black scene with film grain', `color=c=black:${SIZE},noise=alls=20:allf=t`],
    [
      'a tunnel: hardly any light, from one side',
      `gradients=${SIZE}:c0=0x000000:c1=0x181818:x0=0:y0=0:x1=1280:y1=0:n=2`,
    ],
    ['a dark menu', `color=c=0x0b0d10:${SIZE},drawbox=x=80:y=80:w=300:h=400:c=0x232933:t=fill`],
    ['a loading screen with a bar', `color=c=black:${SIZE},drawbox=x=320:y=640:w=640:h=24:c=0x808080:t=fill`],
    ['a test picture', `testsrc2=${SIZE}`],
  ])('is not %s', async (_what, source) => {
    const pictures = await watched(source, 3);
    expect(pictures.length).toBeGreaterThan(8);
    expect(pictures.map(isBlack)).not.toContain(true);
  });

  it('says since when, and whether there was ever another picture', async () => {
    const [black] = await watched(`color=c=black:${SIZE}`, 1);
    const [other] = await watched(`testsrc2=${SIZE}`, 1);
    if (!black || !other) throw new Error('ffmpeg made no picture');
    const seen = looks([black, black, other, black, black]);
    expect(seen.map((look) => look.black)).toEqual([
      { since: 0, fromStart: true },
      { since: 0, fromStart: true },
      null,
      { since: 0.75, fromStart: false },
      { since: 0.75, fromStart: false },
    ]);
  });

  it('never is a picture with more than a few lit points, whatever they are', () => {
    const lit = fc.uniqueArray(fc.nat(POINTS - 1), { minLength: 9, maxLength: 200 });
    fc.assert(
      fc.property(lit, fc.integer({ min: 19, max: 255 }), fc.nat(18), (points, value, ground) => {
        const picture = new Uint8Array(POINTS).fill(ground);
        for (const point of points) picture[point] = value;
        expect(isBlack(picture)).toBe(false);
      }),
    );
  });

  it('always is a flat dark picture with at most eight other points', () => {
    const few = fc.array(fc.tuple(fc.nat(POINTS - 1), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(few, fc.integer({ min: 2, max: 18 }), (points, ground) => {
        const picture = new Uint8Array(POINTS).fill(ground);
        for (const [point, value] of points) picture[point] = Math.max(value, ground - 2);
        expect(isBlack(picture)).toBe(true);
      }),
    );
  });
});

describe('still', () => {
  it('is a picture that does not change, from the first one that was like it', async () => {
    const moving = await watched(`testsrc2=${SIZE}`, 2);
    const held = moving.at(-1) ?? new Uint8Array();
    const seen = looks([...moving, held, held, held]);
    expect(seen[moving.length - 2]?.stillSince).toBe((moving.length - 2) / 4);
    expect(seen.at(-1)?.stillSince).toBe((moving.length - 1) / 4);
  });

  it('is not a scene that only has noise, nor one that fades slowly', async () => {
    const noise = looks(await watched(`color=c=0x202020:${SIZE},noise=alls=12:allf=t`, 3));
    expect(noise.every(({ stillSince }, i) => stillSince === i / 4)).toBe(true);
    const fade = looks(Array.from({ length: 40 }, (_, i) => new Uint8Array(POINTS).fill(100 + Math.floor(i / 2))));
    for (const [i, { stillSince }] of fade.entries()) expect(i / 4 - (stillSince ?? 0)).toBeLessThan(1);
  });

  it('is a menu, with its blinking caret or without: that alone says nothing of its health', async () => {
    const menu = `color=c=0x202830:${SIZE},drawbox=x=80:y=80:w=300:h=400:c=0x405060:t=fill`;
    const still = looks(await watched(menu, 3));
    expect(still.at(-1)?.stillSince).toBe(0);
    const caret = looks(
      await watched(`${menu},drawbox=x=400:y=100:w=2:h=20:c=white:t=fill:enable='lt(mod(t,1),0.5)'`, 3),
    );
    expect(caret.at(-1)?.black).toBeNull();
  });

  it('begins anew after an interruption, while what was seen stays seen', () => {
    const watch = new PictureWatch();
    watch.add(0, new Uint8Array(POINTS).fill(90));
    watch.interrupt();
    expect(watch.look).toEqual({ black: null, stillSince: null });
    expect(watch.add(5, new Uint8Array(POINTS)).black).toEqual({ since: 5, fromStart: false });
  });
});
