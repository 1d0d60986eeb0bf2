import { useEffect, useRef } from 'react';
import { procedures } from '../../contract/procedures.ts';
import { useStudioStore } from '../store/store.ts';
import { type PlayerStatus, type PreviewPlayer, startPreviewPlayer } from './preview-player.ts';
import { usePageVisible } from './usePageVisible.ts';

/**
 * The moving picture. Subscribed only while the page is visible and `active`: otherwise nothing is sent, decoded or
 * drawn, and the last picture stays.
 */
export function LivePicture({ active, onStatus }: { active: boolean; onStatus: (status: PlayerStatus) => void }) {
  const container = useRef<HTMLDivElement>(null);
  const player = useRef<PreviewPlayer>(undefined);
  const client = useStudioStore((store) => store.client);
  const visible = usePageVisible();

  useEffect(() => {
    if (!container.current) return;
    const started = startPreviewPlayer(container.current, onStatus);
    player.current = started;
    return () => {
      player.current = undefined;
      started.destroy();
    };
  }, [onStatus]);

  useEffect(() => {
    const showing = player.current;
    if (!client || !active || !visible || !showing) return;
    const end = client.frames(procedures.watchPreview, (payload, done) => showing.push(payload, done));
    return () => {
      end();
      showing.pause();
    };
  }, [client, active, visible, onStatus]);

  return <div ref={container} className="absolute inset-0" />;
}
