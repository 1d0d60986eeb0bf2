import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, pause } from './backoff.ts';
import { runToEnd, startChild, within } from './child.ts';
import { LineSplitter } from './lines.ts';
import { allowedNice, describePriority, raise } from './priority.ts';

const node = (script: string, onStdout?: (chunk: Buffer) => void): ReturnType<typeof startChild> =>
  startChild({ name: 'test', command: process.execPath, args: ['-e', script], ...(onStdout ? { onStdout } : {}) });

/** Resolves when the child printed something: only then is it known to have set itself up. */
const ready = (script: string): { child: ReturnType<typeof startChild>; said: Promise<void> } => {
  let resolve: () => void = () => undefined;
  const said = new Promise<void>((done) => (resolve = done));
  return { child: node(script, () => resolve()), said };
};

describe('a child process', () => {
  it('ends on its own word first', async () => {
    const { child, said } = ready(
      `process.stdin.on('data', (d) => { if (String(d) === 'q') process.exit(0) }); console.log('up')`,
    );
    await said;
    const exit = await child.stop({ quit: 'q', quitMs: 5000 });
    expect(exit).toMatchObject({ code: 0, signal: null, requested: true });
  });

  it('is killed when it ignores both the word and SIGTERM', async () => {
    const { child, said } = ready(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')`);
    await said;
    const exit = await child.stop({ quit: 'q', quitMs: 50, termMs: 50 });
    expect(exit).toMatchObject({ code: null, signal: 'SIGKILL', requested: true });
  });

  it('is killed even while it is stopped (SIGSTOP)', async () => {
    const { child, said } = ready(`setInterval(() => {}, 1000); console.log('up')`);
    await said;
    process.kill(child.pid ?? 0, 'SIGSTOP');
    expect(await child.stop({ termMs: 50 })).toMatchObject({ signal: 'SIGKILL' });
  });

  it('keeps the newest 128 lines of stderr', async () => {
    const exit = await node(`for (let i = 0; i < 300; i++) console.error('line ' + i)`).exited;
    expect(exit.stderr).toHaveLength(128);
    expect(exit.stderr.at(-1)).toBe('line 299');
    expect(exit.requested).toBe(false);
  });

  it('has further pipes, from and to it, and lines of its output', async () => {
    const got: string[] = [];
    const bytes: Buffer[] = [];
    const exit = await startChild({
      name: 'test',
      command: process.execPath,
      args: ['-e', `const fs = require('fs'); fs.writeSync(4, 'ab'); console.log('one\\n' + fs.readFileSync(6))`],
      onStdoutLine: (line) => got.push(line),
      extra: [
        { fd: 4, onData: (chunk) => bytes.push(chunk) },
        { fd: 6, feed: (out) => out.end('two') },
      ],
    }).exited;
    expect(exit.code).toBe(0);
    expect([Buffer.concat(bytes).toString(), ...got]).toEqual(['ab', 'one', 'two']);
  });

  it('that does not exist is an exit with its reason, not an exception', async () => {
    const child = startChild({ name: 'none', command: '/does/not/exist', args: [] });
    expect((await child.exited).spawnError).toBeInstanceOf(Error);
    expect(await child.stop()).toMatchObject({ code: null });
  });

  it('run to its end has bounds of time and output', async () => {
    const run = async (script: string, options: Parameters<typeof runToEnd>[2]): ReturnType<typeof runToEnd> =>
      runToEnd(process.execPath, ['-e', script], options);
    expect((await run('process.stdout.write("hi"); process.exit(3)', { timeoutMs: 10_000 })).code).toBe(3);
    await expect(run('setInterval(() => {}, 1000)', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'internal' });
    await expect(
      run('for (;;) process.stdout.write("x".repeat(65536))', { timeoutMs: 10_000, maxOutputBytes: 100_000 }),
    ).rejects.toMatchObject({ code: 'internal' });
    const cancel = AbortSignal.timeout(100);
    await expect(run('setInterval(() => {}, 1000)', { timeoutMs: 10_000, signal: cancel })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('waiting', () => {
  it('tells in time from late', async () => {
    expect(await within(Promise.resolve(), 1000)).toBe(true);
    expect(await within(new Promise(() => undefined), 10)).toBe(false);
  });

  it('ends early when aborted', async () => {
    const cancel = new AbortController();
    const paused = pause(60_000, cancel.signal);
    cancel.abort();
    await paused;
  });
});

describe('back-off', () => {
  it('counts fast failures only and gives up after the last delay', () => {
    const backoff = new Backoff({ delaysMs: [1, 2], healthyMs: 1000 });
    expect([backoff.next(10), backoff.next(10), backoff.next(10)]).toEqual([1, 2, 'give-up']);
    expect(backoff.next(5000)).toBe(1);
    const forever = new Backoff({ delaysMs: [1, 2], healthyMs: 1000, forever: true });
    expect([forever.next(0), forever.next(0), forever.next(0)]).toEqual([1, 2, 2]);
  });
});

describe('lines', () => {
  it('are the same however the text was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z ]{1,20}$/), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 50 }),
        (lines, sizes) => {
          const text = lines.map((line) => `${line}\n`).join('');
          const splitter = new LineSplitter();
          const found: string[] = [];
          for (let at = 0, n = 0; at < text.length; n++) {
            const size = sizes[n % sizes.length] ?? 1;
            found.push(...splitter.push(text.slice(at, at + size)));
            at += size;
          }
          expect([...found, ...splitter.end()]).toEqual(lines);
        },
      ),
    );
  });

  it('without an end never grow past their bound', () => {
    const splitter = new LineSplitter();
    for (let i = 0; i < 100; i++) splitter.push('x'.repeat(10_000));
    expect(splitter.end()[0]?.length).toBe(16 * 1024);
  });
});

describe('priority', () => {
  const sleeper = (): { pid: number | undefined; end: () => Promise<void> } => {
    const child = node('setInterval(() => {}, 1000)');
    return {
      pid: child.pid,
      end: async () => {
        child.kill();
        await child.exited;
      },
    };
  };

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)('is raised to -10 for root', async () => {
    const { pid, end } = sleeper();
    try {
      expect(raise(pid)).toEqual({ nice: -10, refused: false });
      expect(os.getPriority(pid)).toBe(-10);
    } finally {
      await end();
    }
  });

  it.runIf(process.platform === 'linux')('stays for an ordinary user, who is told so', async () => {
    const root = process.getuid?.() === 0;
    const nobody = 65_534;
    const child = spawn('sleep', ['10'], { stdio: 'ignore', ...(root ? { uid: nobody } : {}) });
    const exited = once(child, 'exit');
    try {
      if (root) process.seteuid?.(nobody);
      const raised = raise(child.pid);
      if (root) process.seteuid?.(0);
      // whoever runs this may have been given a limit of their own
      expect(raised?.refused).toBe(true);
      expect(raised?.nice).toBe(os.getPriority(child.pid));
    } finally {
      if (root) process.seteuid?.(0);
      child.kill();
      await exited;
    }
  });

  it('is as high as RLIMIT_NICE allows', () => {
    const limits = (value: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units     \nMax nice priority         ${value}                    ${value}                    \n`;
    expect([limits('0'), limits('25'), limits('30'), limits('unlimited'), ''].map(allowedNice)).toEqual([
      undefined,
      -5,
      -10,
      -20,
      undefined,
    ]);
  });

  it('is told in words', () => {
    expect(describePriority({ nice: -10, refused: false }, 'linux')).toBe('raised (nice -10)');
    expect(describePriority({ nice: -5, refused: true }, 'linux')).toBe(
      'raised (nice -5): this user may not raise it further',
    );
    expect(describePriority({ nice: 0, refused: true }, 'linux')).toBe('normal: this user may not raise it');
    expect(describePriority({ nice: -7, refused: false }, 'win32')).toBe('above normal');
  });

  it('of a process that is gone is nobody`s', () => {
    expect(raise(undefined)).toBeUndefined();
  });
});
