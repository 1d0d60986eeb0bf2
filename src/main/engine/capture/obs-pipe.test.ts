import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../contract/index.ts';
import type { ProgressBlock } from '../ffmpeg/progress.ts';
import { OneSender } from '../pipes/owner.ts';
import { fixture, ringOf } from '../replay/testing/ring.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';
import { StreamProbe } from './obs-pipe-probe.ts';
import { PIPE_WORDS } from './obs-pipe.ts';
import { ReceivingSession } from './receiving-session.ts';
import { deriveSession } from './status.ts';

const H264 = fixture('h264-aac.ts');
const HEVC = fixture('hevc-bframes.ts');

describe('a look at the beginning of a stream', () => {
  it.each([
    ['H.264', H264],
    ['HEVC', HEVC],
  ])('finds %s however the bytes are cut, garbage in front', (_, stream) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 1, max: 1000 }), (garbage, step) => {
        const probe = new StreamProbe();
        const bytes = Buffer.concat([garbage, stream.subarray(0, 40 * TS_PACKET_BYTES), stream]);
        for (let at = 0; at < bytes.length && probe.finding !== 'video'; at += step)
          probe.push(bytes.subarray(at, at + step));
        expect(probe.finding).toBe('video');
      }),
      { numRuns: 40 },
    );
  });

  it('finds nothing in anything else, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => {
        const probe = new StreamProbe();
        probe.push(bytes);
        expect(probe.finding).toBe('nothing');
      }),
    );
  });
});

const source: Source = {
  id: 'obs-pipe',
  kind: 'pipe',
  name: 'OBS (pipe)',
  suggested: false,
  available: true,
  hint: 'Choose mpegts.',
};

/** A session on a real ring, with a clock of its own. */
function setUp() {
  let now = 0;
  const { ring } = ringOf({ now: () => 1000 + now });
  const input = new OneSender(() => now);
  const sender = { refuse: () => undefined };
  const blocks: ProgressBlock[] = [];
  const recovered: string[] = [];
  const session = new ReceivingSession(source, input, PIPE_WORDS, {
    ring,
    log: pino({ enabled: false }),
    clock: () => now,
    now: () => 1000 + now,
    onProgress: (block) => blocks.push(block),
    onRestart: () => blocks.splice(0),
    onChange: () => undefined,
    onRecovered: (message) => recovered.push(message),
  });
  ring.onAccessUnit((picture) => session.notePicture(picture));
  return {
    ...{ ring, input, session, blocks, recovered },
    pass: (seconds: number) => (now += seconds),
    send: (bytes: Uint8Array, from = sender) => input.receive(from, bytes),
    /** evenly over `seconds` */
    play: (bytes: Uint8Array, seconds: number) => {
      const step = Math.ceil(bytes.length / (seconds * 100));
      for (let at = 0; at < bytes.length; at += step) {
        now += 0.01;
        input.receive(sender, bytes.subarray(at, at + step));
      }
    },
    leave: () => {
      input.gone(sender);
    },
    state: () => deriveSession(session.facts, 1000 + now).state,
    problems: () => (session.facts.problems ?? []).map(({ code }) => code),
  };
}

describe('a session on the pipe', () => {
  it('waits without end, with a hint after ten seconds', async () => {
    const { session, pass, state, problems, play } = setUp();
    await session.started;
    pass(9.9);
    expect([state(), ...problems()]).toEqual(['starting']);
    pass(0.2);
    expect([state(), ...problems()]).toEqual(['starting', 'input-waiting']);
    expect(session.facts.problems?.[0]?.remedy).toBe('Choose mpegts.');
    pass(3600);
    expect(state()).toBe('starting');
    play(H264, 3);
    expect([state(), ...problems()]).toEqual(['live']);
  });

  it.each([
    ['h264', H264, 3],
    ['hevc', HEVC, 2],
  ] as const)('says of %s what the stream says of itself, and how fast it comes', (codec, bytes, seconds) => {
    const { session, blocks, play } = setUp();
    play(bytes, seconds);
    expect(session.facts.info).toEqual({
      ...{ id: 'obs-pipe', name: 'OBS (pipe)', kind: 'pipe', codec },
      ...{ width: 160, height: 90, fps: 30 },
    });
    const [first, last] = [blocks[0], blocks.at(-1)];
    const media = (last?.outTime ?? 0) - (first?.outTime ?? 0);
    expect(((last?.frame ?? 0) - (first?.frame ?? 0)) / media).toBeCloseTo(30, -0.5);
    expect(blocks.length).toBeGreaterThan(seconds * 3);
    expect(blocks.length).toBeLessThanOrEqual(seconds * 4 + 1);
  });

  it('keeps what was held when the sender goes, and opens an epoch for the next', () => {
    const { ring, recovered, play, leave, state, pass, problems } = setUp();
    play(H264, 3);
    leave();
    const { secondsHeld } = ring.status();
    expect(secondsHeld).toBeCloseTo(3, 1);
    pass(60);
    expect([state(), ...problems()]).toEqual(['reconnecting']);
    play(H264, 3);
    expect(state()).toBe('live');
    expect(recovered).toHaveLength(1);
    expect(ring.status().epochs).toHaveLength(2);
    expect(ring.status().secondsHeld).toBeCloseTo(2 * secondsHeld, 5);
  });

  it('counts damage in the middle, not at the edge where it joins', () => {
    const { session, play, send, problems, pass } = setUp();
    send(H264.subarray(100, TS_PACKET_BYTES * 50));
    play(H264.subarray(TS_PACKET_BYTES * 50), 3);
    expect(problems()).toEqual([]);
    send(new Uint8Array(1000));
    play(H264, 3);
    expect(problems()).toEqual(['input-damaged']);
    expect(session.facts.problems?.[0]?.message).toMatch(/in [1-9]\d* places/);
    pass(11);
    expect(problems()).toEqual([]);
  });

  it('tells a stream that is not MPEG-TS after three seconds of it, or when it is over', () => {
    const { send, leave, pass, problems, play } = setUp();
    const text = Buffer.from('not a stream '.repeat(100));
    send(text);
    pass(2.9);
    expect(problems()).toEqual([]);
    pass(0.2);
    expect(problems()).toEqual(['input-unreadable']);
    leave();
    expect(problems()).toEqual(['input-unreadable']);
    play(H264, 3);
    expect(problems()).toEqual([]);
  });

  it('says that no keyframe came, that a second sender was refused, and nothing after Stop', async () => {
    const { ring, session, send, pass, problems, state } = setUp();
    // tables and sound, but no picture
    const packets = Array.from({ length: H264.length / TS_PACKET_BYTES }, (_, i) =>
      H264.subarray(i * TS_PACKET_BYTES, (i + 1) * TS_PACKET_BYTES),
    );
    send(Buffer.concat(packets.filter((packet) => (packet[1] ?? 0) % 32 !== 1 || packet[2] !== 0)));
    pass(10);
    expect(problems()).toEqual(['input-waiting']);
    send(H264, { refuse: () => undefined });
    expect(problems()).toEqual(['input-waiting', 'input-second-sender']);
    await session.stop();
    await session.stop();
    await session.ended;
    expect([state(), ...problems()]).toEqual(['idle']);
    const { totalBytes } = ring;
    send(H264);
    expect(ring.totalBytes).toBe(totalBytes);
  });
});
