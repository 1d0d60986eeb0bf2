/**
 * The string that ffmpeg's `tee` muxer takes is a language of its own: slaves are separated by `|`, options stand in
 * `[k=v:k=v]`, and `\`, `'`, `|`, `:`, `[`, `]` have meaning (libavformat/tee.c, libavutil/avstring.c `av_get_token`).
 * A stream key holding `|[f=mpegts]FILE` wrote that file (measured), so nothing enters it unescaped.
 */
export type TeeSlave = { options: Readonly<Record<string, string>>; target: string };

const OPTION_NAME = /^[a-z0-9_]+$/;
const TARGET = /^(pipe:\d+|rtmp:\/\/127\.0\.0\.1:\d{1,5}\/live\/[A-Za-z0-9_-]{1,64}(\?own=[0-9a-f]{32})?)$/;

const escapeOnce = (text: string): string => text.replace(/[\\'|[\]:=\s]/g, '\\$&');

/**
 * Backslash before every character that `av_get_token` could read as syntax, twice: an option's value is read once with the list of
 * slaves and once with the slave's options (escaped once, `select=v,a\:0` lost its slave; measured).
 */
export const escapeTee = (text: string): string => escapeOnce(escapeOnce(text));

/** Errors: throws on an option name or a target that is not one of ours; keys are validated before, this is the second lock. */
export function teeOutput(slaves: readonly TeeSlave[]): string {
  return slaves
    .map(({ options, target }) => {
      if (!TARGET.test(target)) throw new Error('a tee target of an unknown form');
      const parts = Object.entries(options).map(([name, value]) => {
        if (!OPTION_NAME.test(name)) throw new Error(`a tee option of an unknown form: ${name}`);
        return `${name}=${escapeTee(value)}`;
      });
      return `${parts.length > 0 ? `[${parts.join(':')}]` : ''}${target}`;
    })
    .join('|');
}
