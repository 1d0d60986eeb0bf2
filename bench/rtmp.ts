/**
 * What the RTMP server adds: time from a publisher's socket to a reader's, processor time and memory at 30 Mbit/s with one and with eight
 * readers, beside nginx-rtmp under the same load in the same run. `--seconds=N` says for how long each (8 otherwise).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { writeMessage } from '../src/main/engine/rtmp/guard/chunks.ts';
import { AAC_HEADER, AVC_HEADER, MESSAGE, RtmpClient, picture, sound } from '../test/support/rtmp-client.ts';
import { residentBytes, startRtmpHost } from '../test/support/rtmp-host.ts';
import { pause, runBench, say, until, type Bench } from './support/bench.ts';
import { fixed, percentile, table } from './support/figures.ts';
import { processorTime, usage } from './support/processes.ts';

const MBIT = 30;
const FPS = 60;
const PICTURE_BYTES = Math.round((MBIT * 1e6) / 8 / FPS);
/** as OBS and most encoders send */
const CHUNK_BYTES = 4096;
const SETTLE_MS = 1500;
const MODULES = ['/usr/lib/nginx/modules/ngx_rtmp_module.so', '/usr/lib64/nginx/modules/ngx_rtmp_module.so'];
const TARGET_MS = 10;

type Server = { readonly name: string; readonly port: number; readonly pid: number };

async function startNginx(bench: Bench): Promise<Server> {
  const module = MODULES.find((file) => existsSync(file));
  if (module === undefined) throw new Error('nginx has no RTMP module');
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  probe.close();
  await once(probe, 'close');
  const folder = path.join(bench.folder, 'nginx');
  await mkdir(folder, { recursive: true });
  const [log, conf] = [path.join(folder, 'error.log'), path.join(folder, 'nginx.conf')];
  await writeFile(
    conf,
    `load_module ${module};
worker_processes 1; daemon off; master_process off;
pid ${path.join(folder, 'pid')}; error_log ${log} error;
events { worker_connections 64; }
rtmp { server { listen 127.0.0.1:${port}; chunk_size ${CHUNK_BYTES}; application live { live on; } } }
`,
  );
  const child = spawn('/usr/sbin/nginx', ['-p', folder, '-e', log, '-c', conf], { stdio: 'ignore' });
  bench.onEnd(async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  });
  const open = async (): Promise<true | undefined> =>
    RtmpClient.open(port).then(
      (one) => {
        one.end();
        return true;
      },
      () => undefined,
    );
  await until(5000, 'nginx', open);
  return { name: 'nginx-rtmp', port, pid: child.pid ?? 0 };
}

type Measured = { latencies: number[]; percent: number; megabytes: number; sent: number; missed: number };

/** One publisher at 30 Mbit/s and `readers` readers; the first one's messages are timed. */
async function measure(bench: Bench, server: Server, readers: number, seconds: number): Promise<Measured> {
  const key = `bench${readers}`;
  const publisher = await RtmpClient.publisher(server.port, key);
  const clients = [publisher];
  bench.onEnd(async () => {
    for (const one of clients) one.end();
    return Promise.resolve();
  });
  publisher.onMessage = () => undefined;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(CHUNK_BYTES);
  publisher.send(writeMessage({ type: 1, streamId: 0, timestamp: 0, payload: size }, 2, 128));
  const send = (type: number, timestamp: number, payload: Buffer): void =>
    publisher.send(writeMessage({ type, streamId: 1, timestamp, payload }, type, CHUNK_BYTES));
  send(MESSAGE.video, 0, AVC_HEADER);
  send(MESSAGE.audio, 0, AAC_HEADER);

  const sentAt = new Map<number, number>();
  const latencies: number[] = [];
  let timing = false;
  for (let n = 0; n < readers; n++) {
    const reader = await RtmpClient.player(server.port, key);
    clients.push(reader);
    reader.onMessage = ({ type, payload }) => {
      if (n > 0 || !timing || type !== MESSAGE.video || payload.length < 9) return;
      const at = sentAt.get(payload.readUInt32BE(5));
      if (at !== undefined) latencies.push(performance.now() - at);
    };
  }
  let number = 0;
  const began = performance.now();
  const ticker = setInterval(() => {
    while (number < ((performance.now() - began) * FPS) / 1000) {
      const time = Math.round((number * 1000) / FPS);
      const payload = picture(number % FPS === 0, PICTURE_BYTES);
      payload.writeUInt32BE(number, 5);
      sentAt.set(number, performance.now());
      send(MESSAGE.video, time, payload);
      send(MESSAGE.audio, time, sound());
      number += 1;
    }
  }, 2);
  bench.onEnd(async () => {
    clearInterval(ticker);
    return Promise.resolve();
  });
  await pause(SETTLE_MS);
  const from = number;
  timing = true;
  const [before, start] = [await processorTime(server.pid), performance.now()];
  await pause(seconds * 1000);
  const [after, end] = [await processorTime(server.pid), performance.now()];
  timing = false;
  clearInterval(ticker);
  const sent = number - from;
  const percent = usage(before, after, (end - start) / 1000).reduce((sum, one) => sum + one.percent, 0);
  const megabytes = residentBytes(server.pid) / 1e6;
  for (const one of clients) one.end();
  await pause(300);
  return { latencies, percent, megabytes, sent, missed: Math.max(0, sent - latencies.length) };
}

await runBench(async (bench) => {
  const seconds = bench.seconds ?? 8;
  const host = await startRtmpHost();
  bench.onEnd(async () => host.kill());
  const servers: Server[] = [{ name: 'Pitwall', port: host.port, pid: host.pid }, await startNginx(bench)];
  const results: { server: Server; readers: number; measured: Measured }[] = [];
  for (const readers of [1, 8]) {
    for (const server of servers)
      results.push({ server, readers, measured: await measure(bench, server, readers, seconds) });
  }
  say(
    table(
      [`${MBIT} Mbit/s, ${FPS} pictures/s`, 'p50 ms', 'p99 ms', 'max ms', 'CPU %', 'RSS MB', 'pictures'],
      results.map(({ server, readers, measured: { latencies, percent, megabytes, sent } }) => [
        `${server.name}, ${readers} reader${readers === 1 ? '' : 's'}`,
        fixed(percentile(latencies, 0.5), 2),
        fixed(percentile(latencies, 0.99), 2),
        fixed(Math.max(...latencies), 2),
        fixed(percent, 1),
        fixed(megabytes),
        `${latencies.length} of ${sent}`,
      ]),
    ),
  );
  const of = (name: string, readers: number): Measured | undefined =>
    results.find((one) => one.server.name === name && one.readers === readers)?.measured;
  for (const readers of [1, 8]) {
    const [ours, theirs] = [of('Pitwall', readers), of('nginx-rtmp', readers)];
    if (!ours || !theirs) continue;
    const [p99, ratio] = [percentile(ours.latencies, 0.99), ours.percent / theirs.percent];
    say(
      `${readers} readers: ${p99 <= TARGET_MS ? 'PASS' : 'short of target'}: p99 ${fixed(p99, 2)} ms (at most ${TARGET_MS}); ` +
        `${ratio <= 2 ? 'PASS' : 'short of target'}: processor time ${fixed(ratio, 2)} times nginx-rtmp's (at most 2)`,
    );
  }
});
