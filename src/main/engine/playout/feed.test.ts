import { once } from 'node:events';
import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { within } from '../../../../test/support/wait.ts';
import { StreamBuilder } from '../replay/testing/stream.ts';
import { feed } from './feed.ts';

/** Both ends of a connection that ends with the test. */
async function connected(): Promise<{ reader: net.Socket; outlet: net.Socket }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const reader = net.connect(port, '127.0.0.1');
  const outlet = await accepted;
  for (const end of [reader, outlet]) end.on('error', () => undefined);
  onTestFinished(() => {
    reader.destroy();
    outlet.destroy();
    server.close();
  });
  return { reader, outlet };
}

const never = new AbortController().signal;

/** More than the system keeps for a connection, all due at once. */
function* flood(): Generator<Uint8Array> {
  const unit = new StreamBuilder().run(1, { size: 60_000 }).take();
  for (let i = 0; i < 1000; i += 1) yield unit;
}

it('cuts a reader that takes nothing, after a bounded time', async () => {
  const { reader, outlet } = await connected();
  reader.pause();
  expect(await within('the end', 5000, feed(flood(), outlet, never, 300))).toBe('frozen');
});

it('ends when the reader goes away', async () => {
  const { reader, outlet } = await connected();
  reader.once('data', () => reader.destroy());
  expect(await within('the end', 5000, feed(flood(), outlet, never))).toBe('gone');
});

it('sends two seconds of pictures in a second and a half, and stops when told to', async () => {
  const { reader, outlet } = await connected();
  reader.resume();
  const bytes = new StreamBuilder().run(61, { from: 900_000 }).take();
  const since = performance.now();
  expect(await feed([bytes], outlet, never)).toBe('played');
  expect(performance.now() - since).toBeGreaterThan(1450);
  const stop = new AbortController();
  const playing = feed([bytes], outlet, stop.signal);
  stop.abort();
  expect(await within('the end', 500, playing)).toBe('stopped');
});
