import { toast } from 'sonner';
import type { ErrorInfo } from '../../contract/errors.ts';
import { useStudioStore } from './store.ts';

/** The failed session stands over the picture with its remedy and a button, unless a dialog covers it. */
function saidOnScreen({ message }: ErrorInfo): boolean {
  const { mirror, dialog } = useStudioStore.getState();
  const session = mirror?.state.session;
  return dialog === null && session?.state === 'failed' && session.error.message === message;
}

/** A failure: what happened and what to do. It stays until dismissed; the same failure twice is one toast. */
export function showFailure(error: ErrorInfo): void {
  if (saidOnScreen(error)) return;
  toast.error(error.message, {
    id: `${error.code}:${error.message}`,
    description: error.remedy,
    duration: Infinity,
  });
}
