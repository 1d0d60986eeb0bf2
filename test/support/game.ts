import { onTestFinished } from 'vitest';
import { startStudio, type RunningStudio } from './studio.ts';
import { until } from './wait.ts';
import { startWindow, type TestWindow } from './xvfb.ts';

/** The colour of the whole window, 0xRRGGBB. */
export const GREEN = 0x00ff00;

/** One publisher at the RTMP server, whoever it is. */
export const published = async (studio: RunningStudio, ms = 10_000): Promise<unknown> =>
  until(
    'one publisher',
    ms,
    () => studio.status(),
    ({ rtmp }) => rtmp.publishers.length === 1,
  );

/** A green window of 640x360 that the studio takes for a game, captured and at the live address. Both end with the running test. */
export async function streamGame(
  display: string,
): Promise<{ studio: RunningStudio; game: TestWindow; address: string }> {
  const game = await startWindow({
    display,
    title: 'Assetto Corsa',
    width: 640,
    height: 360,
    x: 20,
    y: 20,
    colour: GREEN,
  });
  onTestFinished(() => game.close());
  const studio = await startStudio({ display });
  await studio.start('window:assetto');
  await published(studio);
  if (studio.rtmp === null) throw new Error('no live address');
  return { studio, game, address: studio.rtmp };
}
