import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** As scripts/lib/programs.mjs looks for it. */
const MODULES = ['/usr/lib/nginx/modules/ngx_rtmp_module.so', '/usr/lib64/nginx/modules/ngx_rtmp_module.so'];

/** A second RTMP server on loopback: nginx with libnginx-mod-rtmp, configured as docs/SCALING.md says: application `live`. */
export interface NginxRtmp {
  readonly port: number;
  /** `rtmp://127.0.0.1:PORT/live`, to which a stream's name is added */
  readonly url: string;
  /** the names published so far, in order, as the server logged them */
  published(): string[];
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

const answers = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** The configuration that docs/SCALING.md gives, on a port of ours. */
function documented(port: number): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs/SCALING.md'), 'utf8');
  const block = /```nginx\n([\s\S]+?)```/.exec(text)?.[1];
  if (block?.includes('listen 1935;') !== true) throw new Error('docs/SCALING.md gives no configuration');
  return block.replace('listen 1935;', `listen 127.0.0.1:${port};`);
}

/** Starts one for the running test; it is killed when that ends. */
export async function startNginxRtmp(): Promise<NginxRtmp> {
  const module = MODULES.find((file) => existsSync(file));
  if (module === undefined) throw new Error('nginx has no RTMP module');
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-nginx-'));
  const port = await freePort();
  const log = join(folder, 'error.log');
  const conf = join(folder, 'nginx.conf');
  writeFileSync(
    conf,
    `load_module ${module};
worker_processes 1; daemon off; master_process off;
pid ${join(folder, 'pid')}; error_log ${log} info;
events { worker_connections 64; }
${documented(port)}
`,
  );
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  const start = async (): Promise<void> => {
    child = spawn('/usr/sbin/nginx', ['-p', folder, '-e', log, '-c', conf], { stdio: 'ignore' });
    await until('nginx', 5000, async () => answers(port));
  };
  onTestFinished(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    url: `rtmp://127.0.0.1:${port}/live`,
    published: () => [...readFileSync(log, 'utf8').matchAll(/publish: name='([^']*)'/g)].map(([, name = '']) => name),
    kill,
    start,
  };
}
