import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { ReaderQueue, type Outgoing } from './reader-queue.ts';

/** A socket that takes nothing until it is told to, and a clock. */
type SlowSocket = { pending: number; now: number; sent: string[]; write(bytes: Buffer): void };

function slowSocket(): { socket: SlowSocket; queue: ReaderQueue } {
  const socket: SlowSocket = {
    pending: 0,
    now: 0,
    sent: [],
    write(bytes: Buffer): void {
      socket.pending += bytes.length;
      socket.sent.push(bytes.toString('latin1', 0, 8).replaceAll('\0', ''));
    },
  };
  const queue = new ReaderQueue(socket, () => socket.now);
  return { socket, queue };
}

const message = (name: string, role: Outgoing['role'], bytes: number, slot?: string): Outgoing => {
  const content = Buffer.alloc(bytes);
  content.write(name, 'latin1');
  return { bytes: content, role, time: 0, ...(slot === undefined ? {} : { slot }) };
};

describe('ReaderQueue', () => {
  it('holds less than 16 MB for one that takes nothing, whatever is sent', () => {
    for (const each of [1000, 83_000, 1_000_000, LIMITS.mediaBytes]) {
      const { socket, queue } = slowSocket();
      for (let n = 0; n < 60_000_000 / each; n++) {
        queue.push(message(`m${n}`, n % 30 === 0 ? 'keyframe' : 'delta', each));
        expect(queue.bytes + socket.pending).toBeLessThan(16_000_000);
      }
      expect(queue.skipped).toBeGreaterThan(0);
    }
  });

  it('goes on with the newest keyframe, with the latest headers in front', () => {
    const { socket, queue } = slowSocket();
    queue.push(message('key0', 'keyframe', LIMITS.inFlightBytes + 1));
    for (const name of ['old', 'new']) queue.push(message(name, 'setup', 100, 'video-header'));
    queue.push(message('delta0', 'delta', 1000));
    socket.now = LIMITS.queueMs - 500;
    queue.push(message('key1', 'keyframe', 1000));
    socket.now += 1000;
    queue.push(message('delta1', 'delta', 1000));
    socket.pending = 0;
    queue.pump();
    expect(socket.sent).toEqual(['key0', 'new', 'key1', 'delta1']);
    expect(queue.skipped).toBe(1);
  });

  it('waits for a keyframe at the beginning and with each publisher', () => {
    const { socket, queue } = slowSocket();
    for (const name of ['a', 'b']) {
      queue.push(message(`delta-${name}`, 'delta', 10));
      queue.push(message(`key-${name}`, 'keyframe', 10));
      queue.push(message(`next-${name}`, 'delta', 10));
      queue.restart();
    }
    expect(socket.sent).toEqual(['key-a', 'next-a', 'key-b', 'next-b']);
  });
});
