/** NetConnection and NetStream commands (RTMP specification 1.0, section 7.2) as far as publishing and playing need them. */
import { StreamKey } from '../../../../contract/rtmp.ts';
import { readAmf0, type AmfValue } from './amf0.ts';
import { TYPE, type RtmpMessage } from './chunks.ts';
import { RtmpViolation } from './limits.ts';

/** What an address carries after its `?`. */
export type Query = { readonly key: string | undefined; readonly own: string | undefined };

export type Command =
  | { name: 'connect'; transaction: number; app: string; client: string | undefined; query: Query }
  | { name: 'createStream' | 'getStreamLength'; transaction: number }
  /** `releaseStream`, `FCPublish`, `FCSubscribe`: asked for politeness, answered with success */
  | { name: 'polite'; transaction: number }
  | { name: 'publish' | 'play'; transaction: number; streamId: number; key: string; query: Query }
  /** `deleteStream`, `closeStream`, `FCUnpublish` */
  | { name: 'leave' }
  | { name: 'other' };

const POLITE = new Set(['releaseStream', 'FCPublish', 'FCSubscribe']);
const LEAVE = new Set(['deleteStream', 'closeStream', 'FCUnpublish']);

/** Reads a command message. Errors: `RtmpViolation` for AMF that is not whole, and for `connect`, `publish` and `play` without what they need. */
export function readCommand({ type, streamId, payload }: RtmpMessage): Command {
  // an AMF3 command message begins with a byte 0 and goes on in AMF0
  const [name, transaction, object, argument] = readAmf0(type === TYPE.commandAmf3 ? payload.subarray(1) : payload);
  if (typeof name !== 'string') throw new RtmpViolation('a command without a name');
  const id = typeof transaction === 'number' && Number.isFinite(transaction) ? transaction : 0;
  if (name === 'connect') return connect(id, object);
  if (name === 'createStream' || name === 'getStreamLength') return { name, transaction: id };
  if (POLITE.has(name)) return { name: 'polite', transaction: id };
  if (LEAVE.has(name)) return { name: 'leave' };
  if (name === 'publish' || name === 'play') {
    if (typeof argument !== 'string') throw new RtmpViolation(`${name} without a name`);
    const [key = '', ...query] = argument.split('?');
    if (!StreamKey.safeParse(key).success) throw new RtmpViolation(`${name} of a name that is no stream key`);
    return { name, transaction: id, streamId, key, query: readQuery(query.join('?')) };
  }
  return { name: 'other' };
}

function connect(transaction: number, object: AmfValue): Command {
  if (!(object instanceof Map)) throw new RtmpViolation('connect without its object');
  const app = object.get('app');
  if (typeof app !== 'string') throw new RtmpViolation('connect without an app');
  const [path = '', ...query] = app.split('?');
  const client = object.get('flashVer');
  return {
    name: 'connect',
    transaction,
    app: path.replace(/^\/+|\/+$/g, ''),
    client: typeof client === 'string' && client !== '' ? printable(client).slice(0, 128) : undefined,
    query: readQuery(query.join('?')),
  };
}

/** A name that comes twice counts as not given: which one is meant cannot be told. */
function readQuery(text: string): Query {
  const values = new URLSearchParams(text);
  const only = (name: string): string | undefined => {
    const all = values.getAll(name);
    return all.length === 1 ? all[0] : undefined;
  };
  return { key: only('key'), own: only('own') };
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
