import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './cli.ts';

describe('the command line', () => {
  it('has the documented defaults', () => {
    expect(parseCommandLine([])).toEqual({
      run: {
        headless: false,
        open: true,
        port: 1688,
        rtmpPort: 1935,
        data: undefined,
        clips: undefined,
        source: undefined,
        start: false,
        replaySeconds: undefined,
        replayMegabytes: undefined,
        setupTest: false,
        json: false,
      },
    });
  });

  it('takes every flag', () => {
    const line =
      '--headless --no-open --port 0 --rtmp-port 0 --data d --clips c --source window:Assetto --start --replay-seconds 30 --replay-mb 64 --no-install';
    expect(parseCommandLine(line.split(' '))).toEqual({
      run: {
        headless: true,
        open: false,
        port: 0,
        rtmpPort: 0,
        data: 'd',
        clips: 'c',
        source: 'window:Assetto',
        start: true,
        replaySeconds: 30,
        replayMegabytes: 64,
        setupTest: false,
        json: false,
      },
    });
    expect(parseCommandLine(['--help'])).toEqual({ print: 'help' });
    expect(parseCommandLine(['--version'])).toEqual({ print: 'version' });
  });

  it.each([
    [['--replay-mb', '0'], 'replay-mb'],
    [['--replay-mb', '64.5'], 'replay-mb'],
    [['--replay-mb', '99999999999999999999'], 'replay-mb'],
    [['--replay-seconds', '-1'], 'replay-seconds'],
    [['--port', '65536'], 'port'],
    [['--port', 'x'], 'port'],
    [['--port', ''], 'port'],
    [['--port'], 'port'],
    [['--data', ''], 'data'],
    [['--start'], 'source'],
    [['--nonsense'], 'nonsense'],
    [['stray'], 'stray'],
    [['--json'], '--setup-test'],
    [['--setup-test', '--source', 'screen:0', '--start'], 'do not go together'],
  ])('refuses %j with one sentence that names it', (args, word) => {
    const line = parseCommandLine(args);
    expect(line).toHaveProperty('usage', expect.stringContaining(word));
  });
});
