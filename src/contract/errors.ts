import { z } from 'zod';

/**
 * Every failure a client of the contract can meet. A closed list: the UI, `/api/*` and the log name failures by these codes.
 * `httpStatusOf` gives the HTTP status of each.
 */
export const ErrorCode = z.enum([
  'bad-request',
  'unknown-source',
  'source-unavailable',
  'source-gone',
  'device-lost',
  'conflict',
  'ffmpeg-missing',
  'ffmpeg-unsuitable',
  'capture-failed',
  'start-timeout',
  'buffer-empty',
  'range-not-held',
  'save-failed',
  'disk-full',
  'clip-not-found',
  'folder-not-writable',
  'data-folder-locked',
  'port-in-use',
  'rtmp-failed',
  'publisher-busy',
  'encoder-failed',
  'push-failed',
  'hotkey-unavailable',
  'not-found',
  'method-not-allowed',
  'forbidden',
  'not-supported',
  'cancelled',
  'disconnected',
  'internal',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** A failure as people see it: one sentence on what happened, one on what to do. */
export const ErrorInfo = z.object({
  code: ErrorCode,
  message: z.string(),
  remedy: z.string(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

const STATUS: Record<ErrorCode, number> = {
  'bad-request': 400,
  'unknown-source': 409,
  'source-unavailable': 409,
  'source-gone': 409,
  'device-lost': 409,
  conflict: 409,
  'ffmpeg-missing': 409,
  'ffmpeg-unsuitable': 409,
  'capture-failed': 409,
  'start-timeout': 409,
  'buffer-empty': 409,
  'range-not-held': 409,
  'save-failed': 500,
  'disk-full': 507,
  'clip-not-found': 404,
  'folder-not-writable': 409,
  'data-folder-locked': 409,
  'port-in-use': 409,
  'rtmp-failed': 409,
  'publisher-busy': 409,
  'encoder-failed': 409,
  'push-failed': 409,
  'hotkey-unavailable': 409,
  'not-found': 404,
  'method-not-allowed': 405,
  forbidden: 403,
  'not-supported': 409,
  cancelled: 409,
  disconnected: 503,
  internal: 500,
};

/** HTTP status for an error code (RFC 9110); the body is `application/problem+json` (RFC 9457). */
export const httpStatusOf = (code: ErrorCode): number => STATUS[code];

/**
 * The one error type that crosses a boundary. `message` and `remedy` are for people; `cause` stays in the log.
 */
export class StudioError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StudioError';
    this.code = code;
    this.remedy = remedy;
  }

  toInfo(): ErrorInfo {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** Any thrown value as an `ErrorInfo`; what was not foreseen becomes `internal` and keeps its text out of the sentence. */
export function toErrorInfo(thrown: unknown): ErrorInfo {
  if (thrown instanceof StudioError) return thrown.toInfo();
  return {
    code: 'internal',
    message: 'Something went wrong inside Pitwall.',
    remedy: 'Try again; the log holds the details.',
  };
}
