import { z } from 'zod';
import type { AskProgram } from '../../ffmpeg/abilities.ts';
import { startChild } from '../../process/child.ts';
import { LineSplitter } from '../../process/lines.ts';
import type { Part } from './inputs.ts';

/** ConvertTo-Json of Windows PowerShell 5 writes a list of one as that one. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.union([z.array(item), item.transform((one) => [one]), z.null().transform(() => [])]);

const WinWindow = z.object({
  /** handles are pointers: as text, since JSON's numbers end at 2^53 */
  hwnd: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  title: z.string(),
  process: z.string(),
});
type WinWindow = z.infer<typeof WinWindow>;

const WinScreen = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().positive(),
  height: z.int().positive(),
  primary: z.boolean(),
});
export type WinScreen = z.infer<typeof WinScreen>;

const WinDesktop = z.object({ windows: listOf(WinWindow), screens: listOf(WinScreen) });
export type WinDesktop = z.infer<typeof WinDesktop>;

const WinPlace = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int(),
  height: z.int(),
  minimised: z.boolean(),
});
export type WinPlace = z.infer<typeof WinPlace>;

const POWERSHELL = 'powershell.exe';
const OPTIONS = ['-NoLogo', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-Command'];
/** PowerShell alone takes a second to start on a busy machine. */
const ASK_MS = 8000;

const UTF8 = '[Console]::OutputEncoding = [Text.Encoding]::UTF8;';
/** Without it Windows would answer in scaled pixels. */
const PHYSICAL = `Add-Type -Namespace Pitwall -Name Native -MemberDefinition '
  [DllImport("user32.dll")] public static extern bool SetProcessDPIAware();
  [DllImport("user32.dll")] public static extern bool IsIconic(IntPtr window);
  [DllImport("user32.dll")] public static extern bool IsWindow(IntPtr window);
  [DllImport("user32.dll")] public static extern bool GetClientRect(IntPtr window, [In, Out] int[] box);
  [DllImport("user32.dll")] public static extern bool ClientToScreen(IntPtr window, [In, Out] int[] point);
'; [void][Pitwall.Native]::SetProcessDPIAware();`;

const LIST = `${UTF8} ${PHYSICAL} Add-Type -AssemblyName System.Windows.Forms;
$windows = @(Get-Process | Where-Object { $_.MainWindowHandle -ne 0 -and $_.MainWindowTitle } | ForEach-Object {
  [pscustomobject]@{ hwnd = [string]$_.MainWindowHandle; title = $_.MainWindowTitle; process = $_.ProcessName } });
$screens = @([System.Windows.Forms.Screen]::AllScreens | ForEach-Object {
  [pscustomobject]@{ x = $_.Bounds.X; y = $_.Bounds.Y; width = $_.Bounds.Width; height = $_.Bounds.Height; primary = $_.Primary } });
ConvertTo-Json -Compress -Depth 3 -InputObject @{ windows = $windows; screens = $screens }`;

/**
 * One process while a window is captured, instead of one each second: a line whenever its place changes, `null` when it is gone, and an end when
 * the studio is gone. The place is that of what the program draws, without the frame, as Graphics Capture and GDI take it.
 */
const watchScript = (hwnd: number, parent: number): string => `${UTF8} ${PHYSICAL} $h = [IntPtr]${hwnd}; $last = '';
while (Get-Process -Id ${parent} -ErrorAction SilentlyContinue) {
  if (-not [Pitwall.Native]::IsWindow($h)) { [Console]::WriteLine('null'); exit }
  $b = New-Object 'int[]' 4; $p = New-Object 'int[]' 2;
  [void][Pitwall.Native]::GetClientRect($h, $b); [void][Pitwall.Native]::ClientToScreen($h, $p);
  $now = ConvertTo-Json -Compress -InputObject @{ x = $p[0]; y = $p[1]; width = $b[2]; height = $b[3]; minimised = [Pitwall.Native]::IsIconic($h) };
  if ($now -ne $last) { $last = $now; [Console]::WriteLine($now) }
  Start-Sleep -Milliseconds 500
}`;

const EMPTY: WinDesktop = { windows: [], screens: [] };

const run = async (ask: AskProgram, script: string): Promise<string> => {
  const { code, stdout, stderr } = await ask(POWERSHELL, [...OPTIONS, script], { timeoutMs: ASK_MS });
  if (code !== 0) throw new Error(`PowerShell ended with ${String(code)}: ${stderr.slice(0, 3).join(' ')}`);
  return stdout.toString('utf8');
};

/** Windows and screens by Windows PowerShell, which every Windows has. Errors: rejects when it cannot be asked. */
export const askWinDesktop = async (ask: AskProgram): Promise<WinDesktop> => parseWinDesktop(await run(ask, LIST));

/** Tells where a window is, at first and when that changes; undefined when it is gone. Answers with what ends the watch. */
export type WatchWindow = (hwnd: number, onPlace: (place: WinPlace | undefined) => void) => () => void;

export const watchWinWindow: WatchWindow = (hwnd, onPlace) => {
  const lines = new LineSplitter();
  const child = startChild({
    name: 'window watch',
    command: POWERSHELL,
    args: [...OPTIONS, watchScript(hwnd, process.pid)],
    onStdout: (chunk) => {
      for (const line of lines.push(chunk.toString('utf8'))) {
        const read = WinPlace.nullable().safeParse(json(line));
        if (read.success) onPlace(read.data ?? undefined);
      }
    },
  });
  return () => child.kill();
};

export function parseWinDesktop(text: string): WinDesktop {
  const read = WinDesktop.safeParse(json(text));
  return read.success ? read.data : EMPTY;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** The screen a window is on, by number, and its part of it, cut at the edges; undefined when it is on none. */
export function partOf(window: Part, screens: readonly WinScreen[]): { screen: number; part: Part } | undefined {
  const parts = screens.map((screen, index) => {
    const x = Math.max(window.x, screen.x);
    const y = Math.max(window.y, screen.y);
    const width = Math.min(window.x + window.width, screen.x + screen.width) - x;
    const height = Math.min(window.y + window.height, screen.y + screen.height) - y;
    return { screen: index, part: { x: x - screen.x, y: y - screen.y, width, height } };
  });
  return parts
    .filter(({ part }) => part.width > 1 && part.height > 1)
    .sort((a, b) => b.part.width * b.part.height - a.part.width * a.part.height)[0];
}
