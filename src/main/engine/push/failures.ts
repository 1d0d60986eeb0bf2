import { StudioError, type ErrorInfo } from '../../../contract/index.ts';
import type { FeedEnd } from '../outgoing/live-feed.ts';

/** ffmpeg's words on stderr (5.1.9, measured against nginx-rtmp, closed ports and TLS servers) and what they mean to people. */
const MEANINGS: readonly { pattern: RegExp; message: string; remedy: string }[] = [
  {
    pattern: /Connection refused/i,
    message: 'Nobody answers at that server and port',
    remedy: 'Check the address, and that the server runs.',
  },
  {
    pattern: /Failed to resolve hostname|Name or service not known|Temporary failure in name resolution/i,
    message: 'There is no server of that name',
    remedy: 'Check the address and the connection to the internet.',
  },
  {
    pattern: /certificate/i,
    message: 'The certificate of the server was refused',
    remedy: 'Check the address; a certificate of your own is trusted when NODE_EXTRA_CA_CERTS names it.',
  },
  {
    pattern:
      /Server error|Publish\.(BadName|Denied|Rejected)|Unauthori[sz]ed|authentication|Connection setup failure|rejected/i,
    message: 'The server refuses the stream',
    remedy: 'Check the key, and that nothing else sends with it.',
  },
  {
    pattern: /timed out|No route to host|Network is unreachable/i,
    message: 'The server cannot be reached',
    remedy: 'Check the address and the connection to the internet.',
  },
  {
    pattern: /Broken pipe|Connection reset|Input\/output error|End of file|Cannot read RTMP handshake/i,
    message: 'The server closed the connection',
    remedy: 'It is tried again by itself. Should it go on, check the key and the address.',
  },
];

/** A failed push as one sentence; what ffmpeg wrote stays in the log. */
export function pushFailure({ why, stderr, thrown }: FeedEnd): ErrorInfo {
  if (thrown instanceof StudioError) return thrown.toInfo();
  const of = (message: string, remedy: string): ErrorInfo => ({
    code: 'push-failed',
    message: `${message}.`,
    remedy,
  });
  if (thrown !== undefined) return of('ffmpeg could not be started', 'Check that ffmpeg is installed.');
  if (why === 'frozen')
    return of('The server took nothing for ten seconds', 'The connection may be too slow: lower the bit rate.');
  const known = MEANINGS.find(({ pattern }) => stderr.some((line) => pattern.test(line)));
  if (known) return of(known.message, known.remedy);
  if (why === 'late') return of('The server did not answer in time', 'Check the address and the key.');
  return of('ffmpeg ended by itself', 'It is tried again by itself; the log holds the details.');
}
