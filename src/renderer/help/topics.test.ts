import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HELP_TOPICS } from './topics.ts';

const docs = path.resolve('docs');
const guide = await readFile(path.join(docs, 'GUIDE.md'), 'utf8');
const words = (text: string): string => text.replace(/\s+/g, ' ');

describe('the guide', () => {
  it.each(HELP_TOPICS)('says of "$title" what the help says', ({ anchor, title, paragraphs }) => {
    expect(guide).toContain(`<a id="${anchor}"></a>`);
    expect(guide).toContain(`## ${title}`);
    for (const paragraph of paragraphs) expect(words(guide)).toContain(words(paragraph));
  });

  it('has no link that leads nowhere', async () => {
    const links = [...guide.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(HELP_TOPICS.length);
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      if (link.startsWith('#')) expect(guide).toContain(`<a id="${link.slice(1)}"></a>`);
      else await access(path.resolve(docs, link.split('#')[0] ?? ''));
    }
  });
});
