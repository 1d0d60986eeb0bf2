import { render, screen } from '@testing-library/react';
import { createRef } from 'react';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Clip } from '../../contract/clips.ts';
import { ClipPlayer } from './ClipPlayer.tsx';

const clip: Clip = {
  ...{ id: 'one', path: '/clips/one.mp4', name: 'one', seconds: 5, bytes: 1000, codec: 'hevc', createdAt: 0 },
};

/** A studio that answers when told; jsdom plays no codec at all, so every HEVC clip needs the copy. */
function studio(): { answer: (response: Response) => void; asked: { address: string; signal: AbortSignal }[] } {
  let answer: (response: Response) => void = () => undefined;
  const answered = new Promise<Response>((resolve) => (answer = resolve));
  const asked: { address: string; signal: AbortSignal }[] = [];
  vi.stubGlobal('fetch', async (address: string, { signal }: { signal: AbortSignal }) => {
    asked.push({ address, signal });
    return answered;
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return { answer: (response) => answer(response), asked };
}

test('HEVC this window cannot play: says that it prepares, then plays the copy and offers the original', async () => {
  const { answer, asked } = studio();
  const { container } = render(<ClipPlayer clip={clip} video={createRef()} />);
  expect(screen.getByRole('status')).toHaveTextContent('Preparing the picture');
  expect(screen.getByRole('link')).toHaveAttribute('href', '/api/clips/one/file');
  expect(asked.map(({ address }) => address)).toEqual(['/api/clips/one/preview']);
  answer(new Response('x', { status: 206 }));
  await screen.findByText(/A small copy plays here/);
  expect(container.querySelector('video')).toHaveAttribute('src', '/api/clips/one/preview');
});

test('a copy that cannot be made: the studio says why, the original is offered', async () => {
  const { answer } = studio();
  render(<ClipPlayer clip={clip} video={createRef()} />);
  answer(Response.json({ title: 'No encoder.', detail: 'Install one.' }, { status: 409 }));
  expect(await screen.findByText('No encoder.')).toBeVisible();
  expect(screen.getByText('Install one.')).toBeVisible();
  expect(screen.getByRole('link')).toHaveAttribute('href', '/api/clips/one/file');
});

test('a closed dialog takes its wish back', () => {
  const { asked } = studio();
  const { unmount } = render(<ClipPlayer clip={clip} video={createRef()} />);
  expect(asked[0]?.signal.aborted).toBe(false);
  unmount();
  expect(asked[0]?.signal.aborted).toBe(true);
});

test('H.264 plays as it is', () => {
  const { asked } = studio();
  const { container } = render(<ClipPlayer clip={{ ...clip, codec: 'h264' }} video={createRef()} />);
  expect(container.querySelector('video')).toHaveAttribute('src', '/api/clips/one/file');
  expect(asked).toEqual([]);
});
