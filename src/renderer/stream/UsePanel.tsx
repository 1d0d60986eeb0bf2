import { Eye, EyeOff } from 'lucide-react';
import { useRef, useState } from 'react';
import { useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Sentence } from '../ui/Sentence.tsx';
import { HIDDEN_KEY, playAddress, type Snippet, snippets } from './snippets.ts';

/** Ready texts for the programs people read the stream with. */
export function UsePanel() {
  const { rtmp, session, settings, app } = useStudio((state) => state);
  const [revealed, setRevealed] = useState(false);
  if (rtmp.state !== 'up') {
    return rtmp.state === 'down' ? (
      <Sentence severity="error" message={rtmp.error.message} remedy={rtmp.error.remedy} />
    ) : (
      <p className="text-dim">The RTMP server is starting. The address is here in a moment.</p>
    );
  }
  const { playKey } = settings;
  const real = snippets(playAddress(rtmp.url, playKey), app.platform);
  const hidden = snippets(playAddress(rtmp.url, playKey === '' ? '' : HIDDEN_KEY), app.platform);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      {session.state !== 'live' && (
        <p className="text-[13px] text-dim">Nothing is live now: programs that open the address wait for a picture.</p>
      )}
      {playKey !== '' && (
        <div className="flex flex-wrap items-center gap-3">
          <p className="min-w-0 flex-1 text-[13px] text-dim">
            Readers need the key set in Settings. What is copied holds it, so do not show it on your stream.
          </p>
          <Button size="small" aria-pressed={revealed} onClick={() => setRevealed(!revealed)}>
            {revealed ? <EyeOff size={14} aria-hidden /> : <Eye size={14} aria-hidden />}
            {revealed ? 'Hide the key' : 'Show the key'}
          </Button>
        </div>
      )}
      {real.map((snippet, index) => (
        <SnippetCard
          key={snippet.id}
          snippet={snippet}
          shown={(revealed ? snippet : hidden[index])?.text ?? ''}
          reveal={() => setRevealed(true)}
        />
      ))}
    </div>
  );
}

type Props = { snippet: Snippet; shown: string; reveal: () => void };

function SnippetCard({ snippet: { id, title, note, text }, shown, reveal }: Props) {
  const code = useRef<HTMLPreElement>(null);
  const select = (): void => {
    // selected by hand, the text must be the whole one
    reveal();
    requestAnimationFrame(() => code.current && window.getSelection()?.selectAllChildren(code.current));
  };
  return (
    <section aria-labelledby={`snippet-${id}`}>
      <h3 id={`snippet-${id}`} className="text-[13px] font-semibold">
        {title}
      </h3>
      <p className="text-xs text-dim">{note}</p>
      <div className="mt-1.5 flex items-start gap-1 rounded-lg border border-line bg-page py-1.5 pr-1.5 pl-3">
        <pre
          ref={code}
          data-snippet={id}
          className="min-w-0 flex-1 py-0.5 font-mono text-xs leading-5 wrap-anywhere whitespace-pre-wrap"
        >
          {shown.trimEnd()}
        </pre>
        <CopyButton text={text} label={`Copy: ${title}`} select={select} />
      </div>
    </section>
  );
}
