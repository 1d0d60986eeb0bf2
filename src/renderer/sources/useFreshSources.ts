import { useEffect, useState } from 'react';
import { usePageVisible } from '../preview/usePageVisible.ts';
import { refreshSources } from '../store/actions.ts';
import { useConnected } from '../store/store.ts';
import { useBusy } from '../ui/useBusy.ts';

/**
 * Asks for the windows and screens anew when the list opens and when the person comes back to the page (having started
 * the game, say). `version` grows with every answer, so that the pictures follow.
 */
export function useFreshSources(): { version: number; busy: boolean; refresh: () => void } {
  const [version, setVersion] = useState(0);
  const [busy, run] = useBusy();
  const connected = useConnected();
  const visible = usePageVisible();

  useEffect(() => {
    if (!connected || !visible) return;
    const renew = (): void =>
      run(async () => {
        if (await refreshSources()) setVersion((before) => before + 1);
      });
    renew();
    window.addEventListener('focus', renew);
    return () => window.removeEventListener('focus', renew);
  }, [connected, visible, run]);

  return {
    version,
    busy,
    refresh: () =>
      run(async () => {
        if (await refreshSources()) setVersion((before) => before + 1);
      }),
  };
}
