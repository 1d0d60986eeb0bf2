import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Where the user's sound server listens, as PULSE_SERVER wants it; undefined while there is none. Every client of PulseAudio starts a server
 * when it finds none, unless it is told an address (libpulse, `pa_client_conf_load`): so nothing of ours runs without one.
 */
export async function findPulseServer(env: NodeJS.ProcessEnv, uid: number | undefined): Promise<string | undefined> {
  const told = env['PULSE_SERVER'];
  if (told !== undefined && told !== '') return told;
  for (const socket of await candidates(env, uid)) {
    if (await isSocket(socket)) return `unix:${socket}`;
  }
  const configured = await readFile(path.join(configHome(env), 'pulse/client.conf'), 'utf8').catch(() => '');
  return /^\s*default-server\s*=\s*(\S+)/m.exec(configured)?.[1];
}

const configHome = (env: NodeJS.ProcessEnv): string =>
  env['XDG_CONFIG_HOME'] ?? path.join(env['HOME'] ?? '/', '.config');

async function candidates(env: NodeJS.ProcessEnv, uid: number | undefined): Promise<string[]> {
  const { PULSE_RUNTIME_PATH: own, XDG_RUNTIME_DIR: runtime } = env;
  const machines = await readdir(path.join(configHome(env), 'pulse')).catch(() => []);
  return [
    ...(own === undefined ? [] : [path.join(own, 'native')]),
    ...(runtime === undefined
      ? uid === undefined
        ? []
        : [`/run/user/${uid}/pulse/native`]
      : [path.join(runtime, 'pulse/native')]),
    // without a runtime folder PulseAudio keeps a link to one of its own here
    ...machines
      .filter((name) => name.endsWith('-runtime'))
      .map((name) => path.join(configHome(env), 'pulse', name, 'native')),
  ];
}

const isSocket = async (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isSocket(),
    () => false,
  );
