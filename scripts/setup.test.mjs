/** Set-up as a process, with a PATH of its own on which only a counterfeit apt-get stands. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SETUP = fileURLToPath(new URL('setup.mjs', import.meta.url));
/** Set-up without its npm part, which would replace the packages this test runs on. */
const PROGRAMS_ONLY = `
  import { command } from ${JSON.stringify(new URL('lib/run.mjs', import.meta.url).href)};
  import { ensure } from ${JSON.stringify(new URL('setup.mjs', import.meta.url).href)};
  await command(() => ensure({ ffmpeg: true, install: !process.argv.includes('--no-install') }));`;

/** @type {string} */
let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pitwall-setup-'));
  for (const name of ['env', 'sh', 'chmod', 'touch']) symlinkSync(realPath(name), join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @param {string} name */
const realPath = (name) => ['/usr/bin', '/bin'].map((bin) => join(bin, name)).find((file) => existsSync(file)) ?? '';

/** @param {string} name @param {string} body */
function program(name, body) {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** An apt-get that notes its arguments and "installs" by making the two programs. @param {string} body */
function counterfeitApt(body) {
  program('apt-get', `echo "apt-get $*" >> "${folder}/calls"\necho "words of apt-get"\n${body}`);
  program('sudo', `echo "sudo $1" >> "${folder}/calls"\n[ "$1" = -n ] && shift\nexec "$@"`);
}

/** @param {{ flags?: readonly string[], env?: NodeJS.ProcessEnv }} [options] */
function setUp({ flags = [], env = {} } = {}) {
  const { FFMPEG_PATH: _, ...inherited } = process.env;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAMS_ONLY, '--', ...flags], {
    env: { ...inherited, PATH: folder, ...env },
    input: '',
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}
const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '');

describe.runIf(process.platform === 'linux' && existsSync('/usr/bin/apt-get'))('set-up on Debian', () => {
  test('--no-install: one sentence with the command, exit code 2, nothing run', () => {
    counterfeitApt('');
    const { code, stdout, stderr } = setUp({ flags: ['--no-install'] });
    expect(stderr).toMatch(
      /^pitwall: missing: ffmpeg \(.*\), ffprobe \(.*\); run `(sudo )?apt-get install ffmpeg`, or leave out --no-install\.\n$/,
    );
    expect({ code, stdout, calls: calls() }).toEqual({ code: 2, stdout: '', calls: '' });
  });

  test('installs what is missing once, printing the command first, and leaves stdout alone', () => {
    counterfeitApt(
      `case "$*" in *install*) for p in ffmpeg ffprobe; do touch "${folder}/$p"; chmod 755 "${folder}/$p"; done;; esac`,
    );
    const first = setUp();
    expect(first).toMatchObject({ code: 0, stdout: '' });
    const command = '-o DPkg::Lock::Timeout=300 install -y --no-install-recommends ffmpeg';
    expect(calls()).toContain(`apt-get ${command}\n`);
    expect(first.stderr).toMatch(
      /\n\$ (sudo -n )?env DEBIAN_FRONTEND=noninteractive apt-get .* install .*ffmpeg\nwords of apt-get\n/,
    );

    const before = calls();
    expect(setUp()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(calls()).toBe(before);
  });

  test('old package lists: refreshes them and tries once more', () => {
    counterfeitApt(
      `case "$*" in
        *update*) touch "${folder}/updated";;
        *) [ -e "${folder}/updated" ] || exit 100; for p in ffmpeg ffprobe; do touch "${folder}/$p"; chmod 755 "${folder}/$p"; done;;
      esac`,
    );
    expect(setUp()).toMatchObject({ code: 0, stdout: '' });
    expect(calls().match(/ update\n/g)).toHaveLength(1);
  });

  test('a failing installation: its words stay visible and a sentence says what to do', () => {
    counterfeitApt('exit 100');
    const { code, stderr } = setUp();
    expect(stderr).toContain('words of apt-get');
    expect(stderr).toMatch(
      /installing failed, its reason is above: run `(sudo )?apt-get install ffmpeg`, then try again\.\n$/,
    );
    expect(code).toBe(2);
  });

  test('FFMPEG_PATH counts, with the ffprobe beside it', () => {
    for (const name of ['my-ffmpeg', 'ffprobe']) program(name, '');
    const env = { PATH: '', FFMPEG_PATH: join(folder, 'my-ffmpeg') };
    expect(setUp({ flags: ['--no-install'], env })).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

test('an unknown flag is bad usage', () => {
  const run = spawnSync(process.execPath, [SETUP, '--wat'], { encoding: 'utf8', timeout: 15_000 });
  expect(run).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'pitwall: set-up knows --tests and --no-install, not --wat.\n',
  });
});
