import { PushTargetRequest, type PushStatus } from '../../contract/push.ts';

/** A push target as the form holds it. An empty key keeps the one there is, unless it is to be forgotten. */
export type PushForm = { readonly name: string; readonly url: string; readonly key: string; readonly forget: boolean };
export type PushErrors = { name?: string; url?: string };

/** Where the services take streams, from their own pages for broadcasters; the key comes from the account there. */
export const SERVICES = [
  { name: 'Twitch', url: 'rtmp://live.twitch.tv/app' },
  { name: 'YouTube', url: 'rtmps://a.rtmps.youtube.com:443/live2' },
] as const;

export const pushForm = (target?: PushStatus): PushForm => ({
  name: target?.name ?? '',
  url: target?.url ?? '',
  key: '',
  forget: false,
});

type Read = { ok: true; request: PushTargetRequest } | { ok: false; errors: PushErrors };

/** The engine judges the address in full; here only what can be said while typing. */
export function readPushForm({ name, url, key, forget }: PushForm, target?: PushStatus): Read {
  const errors: PushErrors = {};
  const { shape } = PushTargetRequest;
  if (!shape.name.safeParse(name).success) errors.name = 'A name of at most 60 characters.';
  if (!shape.url.safeParse(url).success || !/^\s*(rtmps?|srt):\/\/[^\s/]/i.test(url))
    errors.url = 'An address that begins with rtmp://, rtmps:// or srt://.';
  if (Object.keys(errors).length > 0) return { ok: false, errors };
  const typed = key.trim();
  return {
    ok: true,
    request: {
      name: name.trim(),
      url: url.trim(),
      ...(target ? { id: target.id } : {}),
      ...(typed !== '' ? { key: typed } : forget ? { key: '' } : {}),
    },
  };
}
