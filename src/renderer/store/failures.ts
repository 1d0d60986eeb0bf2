import { toast } from 'sonner';
import type { ErrorInfo } from '../../contract/errors.ts';

/** A failure: what happened and what to do. It stays until dismissed; the same failure twice is one toast. */
export function showFailure(error: ErrorInfo): void {
  toast.error(error.message, {
    id: `${error.code}:${error.message}`,
    description: error.remedy,
    duration: Infinity,
  });
}
