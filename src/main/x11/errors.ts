/**
 * - `unreachable`: there is no such display, or it refused us
 * - `timeout`: the server did not answer in time
 * - `lost`: the connection ended under us
 * - `closed`: we closed it
 * - `no-window`: the window does not exist (any more)
 * - `taken`: another client, or another grab of ours, holds the key
 * - `unknown-key`: no key of this keyboard has that keysym
 * - `refused`: any other protocol error
 */
export type X11ErrorCode =
  'unreachable' | 'timeout' | 'lost' | 'closed' | 'no-window' | 'taken' | 'unknown-key' | 'refused';

/** Every failure of this folder. */
export class X11Error extends Error {
  readonly code: X11ErrorCode;

  constructor(code: X11ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'X11Error';
    this.code = code;
  }
}
