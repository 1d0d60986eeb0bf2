import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { programOf } from './program.ts';

/** A folder in the shape of /proc with one process in it, as Proton leaves it. */
function processOf({ comm, cmdline, exe }: { comm: string; cmdline: string; exe: string }): string {
  const proc = mkdtempSync(join(tmpdir(), 'pitwall-proc-'));
  onTestFinished(() => rmSync(proc, { recursive: true, force: true }));
  mkdirSync(join(proc, '7'));
  writeFileSync(join(proc, '7', 'comm'), `${comm}\n`);
  writeFileSync(join(proc, '7', 'cmdline'), cmdline);
  symlinkSync(exe, join(proc, '7', 'exe'));
  return proc;
}

const PRELOADER = '/home/x/.steam/root/steamapps/common/Proton 9.0/files/bin/wine64-preloader';

test.each([
  [
    'a Windows program whose main thread has another name',
    {
      comm: 'GameThread',
      cmdline: 'Z:\\games\\AC2\\Binaries\\Win64\\AC2-Win64-Shipping.exe\0-windowed\0',
      exe: PRELOADER,
    },
    'AC2-Win64-Shipping.exe',
  ],
  [
    'one started through the preloader',
    { comm: 'acs.exe', cmdline: `${PRELOADER}\0C:\\ac\\acs.exe\0`, exe: PRELOADER },
    'acs.exe',
  ],
  ['one whose arguments say nothing', { comm: 'acs.exe', cmdline: '', exe: PRELOADER }, 'acs.exe'],
  [
    'a program with a long name',
    { comm: 'BeamNG.drive.x6', cmdline: './BeamNG.drive.x64\0', exe: '/games/BeamNG.drive.x64 (deleted)' },
    'BeamNG.drive.x64',
  ],
  [
    'a program that was only told of an exe',
    { comm: 'less', cmdline: 'less\0acs.exe\0', exe: '/usr/bin/less' },
    'less',
  ],
])('%s', async (_, about, name) => {
  expect(await programOf(7, processOf(about), 'linux')).toBe(name);
});

test('a process that is gone has no name', async () => {
  expect(await programOf(8, processOf({ comm: 'x', cmdline: '', exe: '/x' }), 'linux')).toBeUndefined();
  expect(await programOf(7, '/proc', 'darwin')).toBeUndefined();
});
