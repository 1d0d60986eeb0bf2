import { StudioError } from '../../../contract/index.ts';

/** A push address taken apart; every part is of a known alphabet. */
export type PushAddress = {
  scheme: 'rtmp' | 'rtmps' | 'srt';
  /** name or address; IPv6 in brackets */
  host: string;
  port: number | undefined;
  /** without the slashes around it; empty for SRT */
  path: string;
  /** with its question mark, or empty */
  query: string;
};

/**
 * What ffmpeg is given: the last argument, options before it, and options whose value is a secret. None of them is ever read by a
 * shell, ffmpeg's `tee` or a playlist.
 */
export type Destination = {
  format: 'flv' | 'mpegts';
  url: string;
  options: readonly (readonly [string, string])[];
  secret: readonly [string, string] | undefined;
};

const HOST = String.raw`[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]`;
const ADDRESS = new RegExp(
  String.raw`^([A-Za-z]+)://(${HOST})(?::(\d{1,5}))?(?:/([A-Za-z0-9._~%+/-]*))?(\?[A-Za-z0-9._~%&=+,:#!/-]*)?$`,
);
/** What an SRT address may say in its query; libsrt knows more, which could name files or open a listener. */
const SRT_OPTIONS = new Map([
  ['streamid', /^.{1,512}$/],
  ['latency', /^\d{1,9}$/],
  ['pkt_size', /^\d{1,5}$/],
]);
/** Printable ASCII without spaces: no key of a service known to us is anything else, and nothing else can end a line of a file. */
const KEY = /^[!-~]{1,512}$/;
const PASSPHRASE_LENGTH = { min: 10, max: 64 };

/** Errors: `bad-request`, in words for people. */
export function parsePushAddress(text: string): PushAddress {
  const match = ADDRESS.exec(text.trim());
  const [, rawScheme, host, portText, rawPath = '', query = ''] = match ?? [];
  const scheme = rawScheme?.toLowerCase();
  if (scheme === undefined || host === undefined) {
    throw refused(
      'That is no address a stream can be pushed to.',
      'Write it as the service gives it, for example rtmp://live.twitch.tv/app: rtmp, rtmps or srt, a server, no spaces, no password.',
    );
  }
  if (scheme !== 'rtmp' && scheme !== 'rtmps' && scheme !== 'srt')
    throw refused(`Pitwall does not push over ${scheme}.`, 'Use an rtmp, rtmps or srt address.');
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535))
    throw refused(`${portText ?? ''} is no port.`, 'A port is a number from 1 to 65535.');
  const path = rawPath.split('/').filter(Boolean).join('/');
  if (scheme === 'srt') checkSrt(port, path, query);
  else if (path === '')
    throw refused('The address names no application.', 'It is the part after the server, for example /live or /app.');
  return { scheme, host, port, path, query };
}

/**
 * The one place where an address and its key become arguments. Errors: `bad-request`.
 *
 * RTMP: the path is the application and the key the stream's name; without a key the last part of the path is the name. SRT: the key is
 * the stream id, or the passphrase where the address has a stream id already.
 */
export function destinationOf(address: PushAddress, key: string): Destination {
  const { scheme, host, port, path, query } = address;
  if (key !== '' && !KEY.test(key))
    throw refused('The key holds characters that no key has.', 'Copy it again, without spaces and line ends.');
  const server = `${scheme}://${host}${port === undefined ? '' : `:${port}`}`;
  if (scheme === 'srt') return srtDestination(server, query, key);
  const segments = path.split('/');
  const name = key === '' ? segments.pop() : undefined;
  const app = segments.join('/');
  if (app === '')
    throw refused(
      'The address needs a stream key.',
      'Enter the key the service gave you, or add a name to the address.',
    );
  return {
    format: 'flv',
    url: `${server}/${app}${query}`,
    // said rather than left to ffmpeg, which would take an application of two parts for an application and a name
    options: [['rtmp_app', `${app}${query}`], ...(name === undefined ? [] : [['rtmp_playpath', name] as const])],
    secret: key === '' ? undefined : ['rtmp_playpath', key],
  };
}

function srtDestination(server: string, query: string, key: string): Destination {
  const isNamed = new URLSearchParams(query).has('streamid');
  if (isNamed && key !== '' && (key.length < PASSPHRASE_LENGTH.min || key.length > PASSPHRASE_LENGTH.max))
    throw refused('An SRT passphrase has 10 to 64 characters.', 'Copy it again, or leave it empty.');
  return {
    format: 'mpegts',
    url: `${server}?mode=caller&transtype=live${query.replace('?', '&')}`,
    options: [],
    // not `streamid`, which is an option of ffmpeg itself as well
    secret: key === '' ? undefined : [isNamed ? 'passphrase' : 'srt_streamid', key],
  };
}

function checkSrt(port: number | undefined, path: string, query: string): void {
  if (port === undefined) throw refused('An SRT address needs a port.', 'Write it as srt://server:8890.');
  if (path !== '')
    throw refused('An SRT address has no path.', 'Write it as srt://server:8890; the stream id is the key.');
  for (const [name, value] of new URLSearchParams(query)) {
    if (!SRT_OPTIONS.get(name)?.test(value) || !/^[!-~]*$/.test(value))
      throw refused(
        `The SRT address may not say "${name.slice(0, 20)}".`,
        'streamid, latency and pkt_size are possible; the passphrase is the key.',
      );
  }
}

const refused = (message: string, remedy: string): StudioError => new StudioError('bad-request', message, remedy);
