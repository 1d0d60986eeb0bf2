import type { RtmpPeer } from '../../contract/rtmp.ts';
import { useStudio } from '../store/store.ts';
import { useNow } from '../ui/useNow.ts';
import { Sentence } from '../ui/Sentence.tsx';
import { peerFacts, peerName, peerSince } from './peer-words.ts';

/** Who sends to the RTMP server and who reads from it. */
export function PeersPanel() {
  const rtmp = useStudio((state) => state.rtmp);
  if (rtmp.state === 'down')
    return <Sentence severity="error" message={rtmp.error.message} remedy={rtmp.error.remedy} />;
  if (rtmp.state === 'starting') return <p className="text-dim">The RTMP server is starting.</p>;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      <PeerList
        id="publishers"
        title="Publishers"
        empty="Nobody sends a stream. Start streaming, or publish from another program to any /live/ address."
        peers={rtmp.publishers}
      />
      <PeerList id="readers" title="Readers" empty="Nobody reads the stream." peers={rtmp.readers} />
    </div>
  );
}

function PeerList({
  id,
  title,
  empty,
  peers,
}: {
  id: string;
  title: string;
  empty: string;
  peers: readonly RtmpPeer[];
}) {
  const now = useNow();
  return (
    <section aria-labelledby={id}>
      <h3 id={id} className="card-title mb-2">
        {title}
      </h3>
      {peers.length === 0 ? (
        <p className="text-[13px] text-dim">{empty}</p>
      ) : (
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-2">
          {peers.map((peer) => (
            <li key={peer.id} className="rounded-lg border border-line px-3 py-2">
              <div className="flex flex-wrap items-baseline gap-x-3">
                <span className="min-w-0 truncate font-medium" title={peer.client}>
                  {peerName(peer)}
                </span>
                <span className="font-mono text-xs text-dim">{peer.path}</span>
                <span className="flex-1" />
                <span className="num text-xs text-dim">{peerSince(peer, now)}</span>
              </div>
              <p className="num mt-0.5 text-xs break-words text-dim">
                {[peer.address, ...peerFacts(peer)].join(' · ')}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
