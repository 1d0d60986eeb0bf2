import { closeDialog, useStudio } from '../store/store.ts';
import { Modal } from '../ui/Modal.tsx';
import { HELP_TOPICS } from './topics.ts';

/** The guide's words, those of this system first; `docs/GUIDE.md` has the same. */
export function HelpDialog() {
  const platform = useStudio((state) => state.app.platform);
  const here = HELP_TOPICS.filter((topic) => topic.platform === undefined || topic.platform === platform);
  const elsewhere = HELP_TOPICS.filter((topic) => !here.includes(topic));
  return (
    <Modal
      title="Help"
      description="How to capture a game, and what to do when it fails"
      width="max-w-2xl"
      onClose={closeDialog}
    >
      <div className="scroll min-h-0 space-y-1.5 px-5 py-4">
        {here.map((topic, i) => (
          <Topic key={topic.anchor} topic={topic} open={i === 0} />
        ))}
        <h3 className="pt-3 text-[12.5px] font-medium text-dim">On other systems</h3>
        {elsewhere.map((topic) => (
          <Topic key={topic.anchor} topic={topic} open={false} />
        ))}
      </div>
    </Modal>
  );
}

function Topic({ topic, open }: { topic: (typeof HELP_TOPICS)[number]; open: boolean }) {
  return (
    <details className="rounded-lg border border-line bg-raised/40" open={open}>
      <summary className="cursor-pointer px-3.5 py-2.5 font-medium">{topic.title}</summary>
      <div className="space-y-2 px-3.5 pb-3 text-[13px] text-dim">
        {topic.paragraphs.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
      </div>
    </details>
  );
}
