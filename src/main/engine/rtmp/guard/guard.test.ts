import process from 'node:process';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  AAC_HEADER,
  AVC_HEADER,
  HELLO,
  MESSAGE,
  RtmpClient,
  begin,
  command,
  metadata,
  picture,
  sound,
} from '../../../../../test/support/rtmp-client.ts';
import { ATTACKS, mutated, randomFrom } from '../../../../../test/support/rtmp-attacks.ts';
import { pause, until } from '../../../../../test/support/wait.ts';
import type { RtmpPeer } from '../../../../contract/rtmp.ts';
import { RtmpServer, type RtmpAccess } from './server.ts';

const MESSAGES = process.env['PITWALL_SOAK'] === '1' ? 1_000_000 : 20_000;
const OPEN: RtmpAccess = { publishKey: '', playKey: '', ownToken: 'own', liveKey: '' };

type Running = {
  port: number;
  server: RtmpServer;
  /** what was logged */
  log: { event: string; reason: string }[];
  peers: { publishers: RtmpPeer[]; readers: RtmpPeer[] };
};

async function start(access: Partial<RtmpAccess> = {}): Promise<Running> {
  const running: Omit<Running, 'server' | 'port'> = { log: [], peers: { publishers: [], readers: [] } };
  const server = new RtmpServer({
    onPeers: (peers) => (running.peers = peers),
    onLog: (event, fields) => running.log.push({ event, reason: JSON.stringify(fields) }),
  });
  server.setAccess({ ...OPEN, ...access });
  onTestFinished(() => server.close());
  const port = await server.listen(0);
  return Object.assign(running, { server, port });
}

/** Ends it when the running test ends. */
function ending(one: RtmpClient): RtmpClient {
  onTestFinished(() => one.end());
  return one;
}

/** What the tests that look at everything a reader was sent see: kind, time, first and last byte. */
const seen = (reader: RtmpClient): string[] =>
  reader.media.map(({ type, timestamp, payload }) => `${type}@${timestamp}:${payload.toString('hex', 0, 2)}`);

const unexpected = (log: Running['log']): string[] =>
  log.filter(({ reason }) => reason.includes('unexpected')).map(({ reason }) => reason);

let running: Running | undefined;
afterEach(() => {
  expect(unexpected(running?.log ?? [])).toEqual([]);
  running = undefined;
});

describe('what nobody should send', () => {
  it('closes its own connection with a reason and reaches nobody', async () => {
    running = await start();
    const { port, log } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    begin(publisher);
    publisher.sendMedia(MESSAGE.video, 0, picture(true, 500));
    const reader = ending(await RtmpClient.player(port, 'test'));
    const onAttacked = ending(await RtmpClient.player(port, 'attack'));
    let at = 0;
    for (const [name, bytes] of Object.entries(ATTACKS)) {
      for (const slice of [bytes.length, 97]) {
        const attacker = ending(await RtmpClient.open(port));
        for (let from = 0; from < bytes.length; from += slice) attacker.send(bytes.subarray(from, from + slice));
        at += 40;
        const before = reader.media.length;
        publisher.sendMedia(MESSAGE.video, at, picture(false, 300));
        await until(`the others to go on after ${name}`, 3000, () => reader.media.length > before);
        attacker.end();
      }
    }
    expect(publisher.closed || reader.closed || onAttacked.closed).toBe(false);
    expect(seen(reader).every((one) => /^[89]@\d+:(1700|1701|2701|af00)$/.test(one))).toBe(true);
    expect(log.filter(({ event }) => event === 'closed').length).toBeGreaterThan(25);
  });

  it(`of ${MESSAGES} mutated messages none does harm`, { timeout: 1_800_000 }, async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    begin(publisher);
    publisher.sendMedia(MESSAGE.video, 0, picture(true, 500));
    const reader = ending(await RtmpClient.player(port, 'test'));
    const random = randomFrom(20_261_121);
    const seeds = Object.values(ATTACKS).filter((bytes) => bytes.subarray(0, HELLO.length).equals(HELLO));
    const before = HELLO.length + 1536;
    let [sent, at] = [0, 0];
    while (sent < MESSAGES) {
      const attacker = await RtmpClient.open(port);
      attacker.onMessage = () => undefined;
      const first = seeds[Math.floor(random() * seeds.length)] ?? Buffer.alloc(0);
      attacker.send(first.subarray(0, before));
      for (let n = 0; n < 100 && !attacker.closed; n++) {
        const seed = seeds[Math.floor(random() * seeds.length)] ?? Buffer.alloc(0);
        const body = seed.subarray(before, before + 4000);
        attacker.send(n < 2 && random() < 0.7 ? body : mutated(body, random));
        sent += 1;
        if (n % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
      }
      attacker.end();
      at += 1;
      publisher.sendMedia(MESSAGE.video, at, picture(at % 50 === 0, 300));
    }
    const pictures = reader.media.length;
    publisher.sendMedia(MESSAGE.video, at + 1, picture(true, 300));
    await until('the others to go on', 5000, () => reader.media.length > pictures);
    expect(seen(reader).every((one) => /^[89]@\d+:(1700|1701|2701|af00)$/.test(one))).toBe(true);
  });

  it('two hundred idle sockets and a scan of the port keep nobody out', async () => {
    running = await start();
    const { port } = running;
    for (let n = 0; n < 200; n++) {
      const idle = ending(await RtmpClient.open(port));
      if (n % 3 === 0) idle.send(HELLO.subarray(0, 100));
      if (n % 5 === 0) idle.end();
    }
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    begin(publisher);
    publisher.sendMedia(MESSAGE.video, 0, picture(true, 500));
    const reader = ending(await RtmpClient.player(port, 'test'));
    await until('a picture', 3000, () => reader.media.length >= 3);
    expect(running.log.length).toBeLessThan(100);
  });

  it('a handshake that takes its time is ended after five seconds', async () => {
    running = await start();
    const slow = ending(await RtmpClient.open(running.port));
    const dripping = setInterval(() => slow.send(HELLO.subarray(0, 1)), 200);
    onTestFinished(() => clearInterval(dripping));
    const began = performance.now();
    await slow.ended(8000);
    expect(performance.now() - began).toBeGreaterThan(4000);
    expect(running.log.some(({ reason }) => reason.includes('handshake'))).toBe(true);
  });

  it('asking without ever reading the answers ends', async () => {
    running = await start();
    const deaf = ending(await RtmpClient.connected(running.port));
    deaf.socket.pause();
    const ask = Buffer.concat(Array.from({ length: 200 }, (_, n) => command('createStream', n, null)));
    const asking = setInterval(() => {
      for (let n = 0; n < 50; n++) deaf.send(ask);
    }, 5);
    onTestFinished(() => clearInterval(asking));
    await until('it to be ended', 15_000, () => running?.log.some(({ reason }) => reason.includes('answers')) === true);
  });
});

describe('who may publish', () => {
  it('only the publisher that owns a path: not a player, not a second one, not one with a wrong key', async () => {
    running = await start({ publishKey: 'r1ght' });
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test?key=r1ght'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    begin(publisher);
    publisher.sendMedia(MESSAGE.video, 0, picture(true, 100));
    await until('the picture', 3000, () => reader.media.length === 3);

    const player = ending(await RtmpClient.player(port, 'test'));
    player.sendMedia(MESSAGE.video, 10, picture(true, 100, 0x66));
    await player.ended();
    const tries = [
      ['test?key=r1ght', 'NetStream.Publish.BadName'],
      ['test?own=own', 'NetStream.Publish.BadName'],
      ['test', 'NetStream.Publish.Denied'],
      ['other?key=wr0ng', 'NetStream.Publish.Denied'],
      ['other?key=r1ght&key=r1ght', 'NetStream.Publish.Denied'],
      ['other?own=wr0ng', 'NetStream.Publish.Denied'],
    ] as const;
    for (const [name, code] of tries) {
      const second = ending(await RtmpClient.connected(port));
      second.send(command('publish', 3, null, name, 'live'));
      second.sendMedia(MESSAGE.video, 20, picture(true, 100, 0x66));
      await second.status(code);
      await second.ended();
      expect(second.said('NetStream.Publish.Start'), name).toBe(false);
    }
    publisher.sendMedia(MESSAGE.video, 40, picture(false, 100));
    await until('the next picture', 3000, () => reader.media.length === 4);
    expect(reader.media.some(({ payload }) => payload.includes(Buffer.alloc(20, 0x66)))).toBe(false);
    const said = JSON.stringify(running.log);
    for (const secret of ['r1ght', 'wr0ng', 'key=', 'own=']) expect(said).not.toContain(secret);
    ending(await RtmpClient.publisher(port, 'own?own=own'));
  });

  it('the play key is asked of everyone but our own programs', async () => {
    running = await start({ playKey: 'see' });
    const { port } = running;
    for (const name of ['test', 'test?key=no', 'test?key=']) {
      const refused = ending(await RtmpClient.connected(port));
      refused.send(command('play', 3, null, name));
      await refused.status('NetStream.Play.Failed');
      await refused.ended();
    }
    for (const name of ['test?key=see', 'test?own=own']) ending(await RtmpClient.player(port, name));
    // as OBS and ffmpeg may give it: with the application
    const other = ending(await RtmpClient.connected(port, 'live?key=see'));
    other.send(command('play', 3, null, 'test'));
    await other.status('NetStream.Play.Start');
  });

  it.each([
    ['its connection ends', (one: RtmpClient) => one.end()],
    ['it deletes its stream', (one: RtmpClient) => one.send(command('deleteStream', 4, null, 1))],
    ['it says so', (one: RtmpClient) => one.send(command('FCUnpublish', 4, null, 'test'))],
    ['it publishes something else', (one: RtmpClient) => one.send(command('publish', 4, null, 'b', 'live'))],
  ])('a path is free at once when %s', async (_, leave) => {
    running = await start();
    const { port, peers } = running;
    const first = ending(await RtmpClient.publisher(port, 'test'));
    begin(first);
    expect(peers).toBeDefined();
    leave(first);
    await until('it to be free', 1000, () => !running?.peers.publishers.some(({ path }) => path === '/live/test'));
    ending(await RtmpClient.publisher(port, 'test'));
  });

  it('new keys hold for those who are connected', async () => {
    running = await start();
    const { port, server } = running;
    const [stranger, own] = [await RtmpClient.publisher(port, 'a'), await RtmpClient.publisher(port, 'b?own=own')];
    const [viewer, knowing] = [await RtmpClient.player(port, 'a'), await RtmpClient.player(port, 'a?key=see')];
    for (const one of [stranger, own, viewer, knowing]) ending(one);
    server.setAccess({ ...OPEN, publishKey: 'r1ght', playKey: 'see' });
    await Promise.all([stranger.ended(), viewer.ended()]);
    expect(own.closed || knowing.closed).toBe(false);
  });
});

describe('the live address', () => {
  it('moves with its key: our own publisher is ended and comes back there under its old name', async () => {
    running = await start({ liveKey: 'old' });
    const { port, server } = running;
    const [own, other] = [await RtmpClient.publisher(port, 'old?own=own'), await RtmpClient.publisher(port, 'else')];
    for (const one of [own, other]) ending(one);
    server.setAccess({ ...OPEN, liveKey: 'new' });
    await own.ended();
    expect(other.closed).toBe(false);
    ending(await RtmpClient.publisher(port, 'old?own=own'));
    await until(
      'it to be there',
      2000,
      () => running?.peers.publishers.some(({ path }) => path === '/live/new') === true,
    );
  });
});

describe('what readers get', () => {
  it('one that joins gets headers and the pictures since the newest keyframe, nothing older', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    begin(publisher);
    for (let n = 0; n < 60; n++) {
      publisher.sendMedia(MESSAGE.video, n * 40, picture(n % 25 === 0, 100));
      publisher.sendMedia(MESSAGE.audio, n * 40 + 5, sound());
    }
    const early = ending(await RtmpClient.player(port, 'test'));
    await until('the pictures', 3000, () => early.media.length === 2 + 20);
    expect(seen(early).slice(0, 3)).toEqual(['9@2000:1700', '8@2000:af00', '9@2000:1701']);
    const data = early.messages.find(({ payload }) => payload.includes('onMetaData'));
    expect(data?.payload).toEqual(metadata(640, 360).subarray(16));
    await until(
      'the figures',
      3000,
      () => running?.peers.publishers[0],
      (peer) => peer?.videoCodec === 'h264',
    );
    expect(running.peers.publishers[0]).toMatchObject({
      path: '/live/test',
      own: false,
      client: 'test/1',
      videoCodec: 'h264',
      audioCodec: 'aac',
      width: 640,
      height: 360,
    });
  });

  it('a GOP of five thousand messages is served from its keyframe; one too large to keep is not begun in its middle', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    begin(publisher);
    publisher.sendMedia(MESSAGE.video, 0, picture(true, 50));
    for (let n = 1; n <= 5000; n++) publisher.sendMedia(MESSAGE.video, n, picture(false, 50));
    const first = ending(await RtmpClient.player(port, 'test'));
    await until('all of it', 5000, () => first.media.length === 2 + 5001);
    // one after the other: a reader that is given them all at once on a busy computer would be one that does not keep up
    for (let n = 0; n < 14; n++) {
      publisher.sendMedia(MESSAGE.video, 6000 + n, picture(false, 1_000_000));
      await until('that too', 10_000, () => first.media.length === 2 + 5001 + 1 + n);
    }
    const second = ending(await RtmpClient.player(port, 'test'));
    await until('its headers', 3000, () => second.media.length === 2);
    publisher.sendMedia(MESSAGE.video, 7000, picture(false, 50));
    publisher.sendMedia(MESSAGE.video, 7040, picture(true, 50));
    await until('the keyframe', 3000, () => second.media.length === 3);
    expect(seen(second).at(-1)).toBe('9@7040:1701');
  });

  it('time goes on for readers that stay, for sound and picture by the same amount; nobody sees pictures of one who left', async () => {
    running = await start();
    const { port } = running;
    const first = ending(await RtmpClient.publisher(port, 'test'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    begin(first);
    first.sendMedia(MESSAGE.video, 10_000, picture(true, 50));
    first.sendMedia(MESSAGE.audio, 10_400, sound());
    await until('both', 3000, () => reader.media.length === 4);
    first.end();
    await until('it to leave', 1000, () => running?.peers.publishers.length === 0);
    const late = ending(await RtmpClient.player(port, 'test'));
    await pause(150);
    expect(late.media).toEqual([]);
    const second = ending(await RtmpClient.publisher(port, 'test'));
    begin(second);
    second.sendMedia(MESSAGE.video, 0, picture(true, 50));
    second.sendMedia(MESSAGE.audio, 3, sound());
    second.sendMedia(MESSAGE.video, 40, picture(false, 50));
    second.sendMedia(MESSAGE.audio, 24, sound());
    await until('all', 3000, () => reader.media.length === 10);
    const [, , v0 = 0, a0 = 0, ...rest] = reader.media.map(({ timestamp }) => timestamp);
    const [, , v1 = 0, a1 = 0, v2 = 0, a2 = 0] = rest;
    expect([v0, a0]).toEqual([10_000, 10_400]);
    expect(v1).toBeGreaterThan(a0);
    expect(v1 - a0).toBeLessThan(3000);
    expect([a1 - v1, v2 - v1, a2 - v1]).toEqual([3, 40, 24]);
  });

  it('a publisher whose time jumps back goes on, both tracks alike', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    begin(publisher);
    for (const base of [100_000, 0]) {
      publisher.sendMedia(MESSAGE.video, base, picture(true, 50));
      publisher.sendMedia(MESSAGE.audio, base + 10, sound());
      publisher.sendMedia(MESSAGE.video, base + 40, picture(false, 50));
    }
    await until('all', 3000, () => reader.media.length === 8);
    const times = reader.media.slice(2).map(({ timestamp }) => timestamp);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(times.slice(3).map((time) => time - (times[3] ?? 0))).toEqual([0, 10, 40]);
  });

  it('after 49.7 days the times begin again and nothing is lost', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    begin(publisher);
    const near = 2 ** 32 - 60;
    for (const [n, time] of [near, near + 40, 20, 60].entries())
      publisher.sendMedia(MESSAGE.video, time, picture(n === 0, 50));
    await until('all', 3000, () => reader.media.length === 6);
    expect(reader.media.slice(2).map(({ timestamp }) => timestamp)).toEqual([near, near + 40, 20, 60]);
  });

  it('enhanced RTMP passes through as it is: HEVC, AV1, VP9, HDR metadata, and what we do not know', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    const ex = (frame: number, packet: number, fourcc: string, body: string): Buffer =>
      Buffer.concat([Buffer.from([0x80 | (frame << 4) | packet]), Buffer.from(fourcc), Buffer.from(body, 'hex')]);
    // by hand after Enhanced RTMP v1 (SequenceStart 0, CodedFrames 1, SequenceEnd 2, CodedFramesX 3, Metadata 4) and v2 (Multitrack 6)
    const packets = [
      ex(1, 0, 'hvc1', '01016000'),
      ex(1, 4, 'hvc1', '020009636f6c6f72496e666f'),
      ex(1, 1, 'hvc1', 'fffffe00000001aa'),
      ex(2, 3, 'hvc1', '0000000102bb'),
      Buffer.concat([Buffer.from([0x96, 0x01]), Buffer.from('avc1'), Buffer.from('00cc', 'hex')]),
      ex(2, 3, 'zzzz', '01'),
    ];
    publisher.sendMedia(MESSAGE.audio, 0, AAC_HEADER);
    for (const [n, payload] of packets.entries()) publisher.sendMedia(MESSAGE.video, n * 40, payload);
    await until('all of it', 3000, () => reader.media.length === packets.length + 1);
    expect(reader.media.slice(1).map(({ payload }) => payload.toString('hex'))).toEqual(
      packets.map((payload) => payload.toString('hex')),
    );
    expect(running.peers.publishers[0]?.videoCodec ?? 'hevc').toBe('hevc');
    const late = ending(await RtmpClient.player(port, 'test'));
    await until('the headers', 3000, () => late.media.length >= 3);
    const audio = late.media.filter(({ type }) => type === MESSAGE.audio).map(({ payload }) => payload);
    expect(audio).toEqual([AAC_HEADER]);
    expect(late.media.some(({ payload }) => payload.equals(packets[0] ?? AVC_HEADER))).toBe(true);
    expect(late.media.some(({ payload }) => payload.equals(packets[1] ?? AVC_HEADER))).toBe(true);
  });

  it('one that stops reading loses whole GOPs, costs the others nothing, and goes on at a keyframe', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    const frozen = ending(await RtmpClient.player(port, 'test'));
    const reader = ending(await RtmpClient.player(port, 'test'));
    let whole = 0;
    reader.onMessage = ({ type }) => (whole += type === MESSAGE.video ? 1 : 0);
    begin(publisher);
    frozen.socket.pause();
    const [pictures, each] = [600, 80_000];
    for (let n = 0; n < pictures; n++) {
      publisher.sendMedia(MESSAGE.video, n * 33, picture(n % 30 === 0, each));
      if (n % 20 === 0) await until('the reader', 5000, () => whole >= n - 5);
    }
    await until('the reader to have all', 10_000, () => whole === pictures + 1);
    frozen.socket.resume();
    publisher.sendMedia(MESSAGE.video, pictures * 33, picture(true, each));
    await until('the newest keyframe', 5000, () => frozen.media.at(-1)?.timestamp === pictures * 33);
    const got = frozen.media.filter(({ type, payload }) => type === MESSAGE.video && payload[1] === 1);
    expect(got.length).toBeLessThan(pictures * 0.7);
    for (const [n, one] of got.entries()) {
      const before = got[n - 1];
      const follows = before !== undefined && one.timestamp - before.timestamp === 33;
      if (!follows) expect(one.payload[0], `the picture after the hole at ${one.timestamp}`).toBe(0x17);
    }
    await until(
      'the count',
      3000,
      () => running?.peers.readers.some(({ skippedGops = 0 }) => skippedGops > 0) === true,
    );
  });

  it('what is received is acknowledged, and every command clients send is answered', async () => {
    running = await start();
    const { port } = running;
    const publisher = ending(await RtmpClient.publisher(port, 'test'));
    for (const [n, name] of ['releaseStream', 'FCPublish', 'FCSubscribe', 'getStreamLength'].entries())
      publisher.send(command(name, 10 + n, null, 'test'));
    begin(publisher);
    for (let n = 0; n < 4; n++) publisher.sendMedia(MESSAGE.video, n, picture(n === 0, 1_000_000));
    await until('acknowledgements', 3000, () => publisher.messages.filter(({ type }) => type === 3).length >= 3);
    expect(publisher.messages.filter(({ payload }) => payload.includes('_result')).length).toBeGreaterThanOrEqual(6);
  });
});
