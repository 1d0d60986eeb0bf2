import { useCallback, useRef, useState } from 'react';

/** Guards an intent against double clicks: while one run is under way further ones are ignored. */
export function useBusy(): [boolean, (intent: () => Promise<unknown>) => void] {
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const run = useCallback((intent: () => Promise<unknown>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    void intent().finally(() => {
      running.current = false;
      setBusy(false);
    });
  }, []);
  return [busy, run];
}
