import path from 'node:path';
import process from 'node:process';
import { chromium, type Page } from 'playwright';
import { pause, type Bench } from './bench.ts';
import type { Rect } from './geometry.ts';

const MOVES = 100;
const MOVE_MS = 100;

/** A window of Chromium with nothing but the page in it (and, without a window manager, a title bar Chromium draws itself). */
export type AppWindow = {
  readonly page: Page;
  /** the process whose children draw it, for accounting */
  readonly userDataDir: string;
  /** the page's area on the screen, pixels */
  area(): Promise<Rect>;
};

/** Opens `url` as an application window of a Chromium of its own at `place` on `display`. */
export async function openAppWindow(
  bench: Bench,
  { display, url, place, name }: { display: string; url: string; place: Rect; name: string },
): Promise<AppWindow> {
  const userDataDir = path.join(bench.folder, `chromium-${name}`);
  const executablePath = process.env['PITWALL_CHROMIUM'] ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(userDataDir, {
    executablePath,
    headless: false,
    viewport: null,
    env: { ...process.env, DISPLAY: display },
    args: [
      `--app=${url}`,
      `--window-position=${place.x},${place.y}`,
      `--window-size=${place.width},${place.height}`,
      '--force-device-scale-factor=1',
      '--no-sandbox',
      // or a bar above the page complains of the line before
      '--test-type',
    ],
  });
  bench.onEnd(async () => context.close());
  const page = context.pages()[0] ?? (await context.waitForEvent('page'));
  await page.waitForLoadState();
  return { page, userDataDir, area: async () => pageArea(page) };
}

/** Where the page lies on the screen: a mouse event says it in both coordinates. */
async function pageArea(page: Page): Promise<Rect> {
  const origin = page.evaluate(
    async () =>
      new Promise<Rect>((resolve) => {
        const settle = (event: MouseEvent): void =>
          resolve({
            x: event.screenX - event.clientX,
            y: event.screenY - event.clientY,
            width: innerWidth,
            height: innerHeight,
          });
        addEventListener('mousemove', settle, { once: true });
      }),
  );
  // on a busy machine the first moves may come before the page listens
  for (let step = 3; step < 3 + MOVES; step++) {
    await page.mouse.move(step, step);
    const area = await Promise.race([origin, pause(MOVE_MS)]);
    if (area) return area;
  }
  throw new Error('the page says nothing of the mouse over it');
}
