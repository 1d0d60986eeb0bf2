import { procedures } from '../../contract/procedures.ts';
import { connectContract, type ContractClient } from '../../contract/wire/client.ts';
import type { Wire } from '../../contract/wire/wire.ts';
import { showNotice } from './notices.ts';
import { receiveStateEvent, useStudioStore } from './store.ts';
import type { WireOpener } from './wires.ts';

const OPEN_DEADLINE_MS = 5_000;
const SNAPSHOT_DEADLINE_MS = 5_000;
const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 5_000] as const;

const backOff = (attempt: number): number => BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length) - 1] ?? 5_000;

let hurry: (() => void) | undefined;
/** Ends the wait before the next attempt; the "Try now" button. */
export const tryNow = (): void => hurry?.();

/**
 * Keeps one client connected and the store in step with it until `signal` aborts: every wait has a deadline, and a
 * lost connection is opened again with growing pauses of at most 5 s.
 */
export function keepConnected(openWire: WireOpener, signal: AbortSignal = new AbortController().signal): void {
  void (async () => {
    const ended = (): boolean => signal.aborted;
    let lostAt: number | null = null;
    let attempt = 0;
    while (!ended()) {
      try {
        const wire = await openWire(AbortSignal.any([signal, AbortSignal.timeout(OPEN_DEADLINE_MS)]));
        await serveUntilClosed(wire, signal, () => {
          lostAt = null;
          attempt = 0;
        });
      } catch {
        // the reason is of no use to a person; what they can do is in the banner
      }
      if (ended()) return;
      lostAt ??= Date.now();
      attempt++;
      const pause = backOff(attempt);
      useStudioStore.setState({
        client: null,
        connection: { status: 'lost', since: lostAt, attempt, nextAttemptAt: Date.now() + pause },
      });
      await sleepOrHurry(pause);
      useStudioStore.setState({ connection: { status: 'lost', since: lostAt, attempt, nextAttemptAt: null } });
    }
  })();
}

function sleepOrHurry(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      hurry = undefined;
      resolve();
    };
    const timer = setTimeout(wake, ms);
    hurry = wake;
  });
}

/** Resolves when the wire has closed; `onLive` runs at the first snapshot. */
function serveUntilClosed(wire: Wire, signal: AbortSignal, onLive: () => void): Promise<void> {
  const client = connectContract(wire);
  return new Promise((resolve) => {
    const close = (): void => client.close();
    signal.addEventListener('abort', close, { once: true });
    const deadline = setTimeout(close, SNAPSHOT_DEADLINE_MS);
    client.onClose(() => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', close);
      resolve();
    });
    watchState(client, () => {
      clearTimeout(deadline);
      onLive();
      useStudioStore.setState({ client, connection: { status: 'connected' } });
    });
    client.events(procedures.watchNotices, showNotice);
  });
}

function watchState(client: ContractClient, onSnapshot: () => void): void {
  const end = client.events(procedures.watchState, (event) => {
    if (receiveStateEvent(event, Date.now())) {
      if (event.type === 'snapshot') onSnapshot();
      return;
    }
    end();
    watchState(client, onSnapshot);
  });
}
