/** The programs Pitwall and its tests stand on, how each is found, and what each package manager calls it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isProgram, which } from './find.mjs';

/** @typedef {'apt' | 'dnf' | 'pacman' | 'zypper' | 'brew' | 'winget'} ManagerName */

/**
 * @typedef {object} Program
 * @property {string} name as people know it
 * @property {string} why ends the sentence "it is needed ..."
 * @property {() => string | undefined} find where it is; starts no process unless nothing less will do
 * @property {Partial<Record<ManagerName, string>>} packages
 * @property {boolean} [linuxOnly] what stands in for it elsewhere is part of the system, or the tests do without
 */

/** As the engine looks for it: FFMPEG_PATH first. */
const findFfmpeg = () => {
  const set = process.env['FFMPEG_PATH'];
  return set !== undefined && isProgram(set) ? set : which('ffmpeg');
};

/** As the engine looks for it: beside that ffmpeg, or on PATH. */
const findFfprobe = () => {
  const beside = join(dirname(findFfmpeg() ?? ''), process.platform === 'win32' ? 'ffprobe.exe' : 'ffprobe');
  return isProgram(beside) ? beside : which('ffprobe');
};

const FFMPEG = {
  apt: 'ffmpeg',
  dnf: 'ffmpeg-free',
  pacman: 'ffmpeg',
  zypper: 'ffmpeg',
  brew: 'ffmpeg',
  winget: 'Gyan.FFmpeg',
};

/** @type {readonly Program[]} */
export const RUNTIME_PROGRAMS = [
  { name: 'ffmpeg', why: 'to capture and encode', find: findFfmpeg, packages: FFMPEG },
  { name: 'ffprobe', why: 'to verify clips', find: findFfprobe, packages: FFMPEG },
];

const everywhereOnLinux = (/** @type {string} */ name) => ({ apt: name, dnf: name, pacman: name, zypper: name });

/** @type {readonly Program[]} */
export const TEST_PROGRAMS = [
  { name: 'ffplay', why: 'as a reader of the live stream', find: () => which('ffplay'), packages: FFMPEG },
  {
    name: 'mpv',
    why: 'as a reader of the live stream',
    find: () => which('mpv'),
    packages: { ...everywhereOnLinux('mpv'), brew: 'mpv' },
  },
  {
    name: 'Xvfb',
    why: 'as a display of the tests',
    find: () => which('Xvfb'),
    packages: {
      apt: 'xvfb',
      dnf: 'xorg-x11-server-Xvfb',
      pacman: 'xorg-server-xvfb',
      zypper: 'xorg-x11-server-Xvfb',
    },
    linuxOnly: true,
  },
  {
    name: 'Chromium',
    why: 'to drive the user interface',
    find: findChromium,
    packages: { ...everywhereOnLinux('chromium'), apt: isUbuntu() ? 'chromium-browser' : 'chromium' },
  },
  {
    name: 'OpenCV for Python',
    why: 'as a reader of the live stream',
    find: findPythonWithOpenCv,
    packages: { ...everywhereOnLinux('python3-opencv'), pacman: 'python-opencv' },
  },
  {
    name: 'curl',
    why: 'as a reader of the buffer over HTTP',
    find: () => which('curl'),
    packages: everywhereOnLinux('curl'),
  },
  {
    name: 'nginx with RTMP',
    why: 'as another RTMP server',
    find: () => NGINX_RTMP.find((file) => existsSync(file)),
    packages: { apt: 'libnginx-mod-rtmp' },
    linuxOnly: true,
  },
  {
    name: 'PulseAudio',
    why: 'as a sound server of the tests',
    find: () => which('pulseaudio'),
    packages: everywhereOnLinux('pulseaudio'),
    linuxOnly: true,
  },
  {
    name: 'pactl',
    why: 'to drive the sound server of the tests',
    find: () => which('pactl'),
    packages: { ...everywhereOnLinux('pulseaudio-utils'), pacman: 'libpulse' },
    linuxOnly: true,
  },
  {
    name: 'xdotool',
    why: 'to press keys and move windows',
    find: () => which('xdotool'),
    packages: everywhereOnLinux('xdotool'),
    linuxOnly: true,
  },
  {
    name: 'xrandr',
    why: 'to change the screens of the tests',
    find: () => which('xrandr'),
    packages: { apt: 'x11-xserver-utils', dnf: 'xrandr', pacman: 'xorg-xrandr', zypper: 'xrandr' },
    linuxOnly: true,
  },
  {
    name: 'openbox',
    why: 'as a window manager of the tests',
    find: () => which('openbox'),
    packages: everywhereOnLinux('openbox'),
    linuxOnly: true,
  },
  {
    name: 'a text font',
    why: 'to draw the windows of the tests',
    find: () => DEJAVU.find((file) => existsSync(file)),
    packages: { apt: 'fonts-dejavu-core', dnf: 'dejavu-sans-fonts', pacman: 'ttf-dejavu', zypper: 'dejavu-fonts' },
    linuxOnly: true,
  },
];

/** Where the module lies that lets nginx speak RTMP. */
const NGINX_RTMP = ['/usr/lib/nginx/modules/ngx_rtmp_module.so', '/usr/lib64/nginx/modules/ngx_rtmp_module.so'];

const DEJAVU = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf',
  '/usr/share/fonts/TTF/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/DejaVuSans.ttf',
];

function isUbuntu() {
  return existsSync('/etc/apt/sources.list.d/ubuntu.sources') || existsSync('/etc/apt/preferences.d/ubuntu');
}

/** A Chromium of any make; PITWALL_CHROMIUM overrides. */
export function findChromium() {
  const set = process.env['PITWALL_CHROMIUM'];
  if (set !== undefined && isProgram(set)) return set;
  const installed = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ].find(isProgram);
  return which('chromium') ?? which('chromium-browser') ?? which('google-chrome') ?? installed;
}

/** A Python that imports cv2; the system's own is asked too, since another python3 may stand before it on PATH. */
export function findPythonWithOpenCv() {
  const candidates = [process.env['PITWALL_PYTHON'], '/usr/bin/python3', which('python3'), which('python')];
  return [...new Set(candidates)].find(
    (python) =>
      python !== undefined &&
      isProgram(python) &&
      spawnSync(python, ['-c', 'import cv2'], { stdio: 'ignore', timeout: 60_000 }).status === 0,
  );
}
