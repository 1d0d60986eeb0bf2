import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Health, Problem } from '../../contract/health.ts';
import type { SessionState } from '../../contract/capture.ts';
import { receiveStateEvent, resetStudioStore, useStudioStore } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { HealthCard } from './HealthCard.tsx';

const live: SessionState = {
  state: 'live',
  source: { id: 'window:1', name: 'Game', kind: 'window', width: 1280, height: 720, fps: 30, encoder: 'libx264' },
  since: 0,
};
const problem = (
  code: Problem['code'],
  severity: Problem['severity'] = 'warning',
  message = `It is ${code}.`,
): Problem => ({
  code,
  severity,
  message,
  remedy: `Mend ${code}.`,
});
const health = (...problems: Problem[]): Health => ({
  ...studioState().health,
  ...{ fps: 30, speed: 1, bitrateKbps: 9000, targetFps: 30, problems },
});

beforeEach(resetStudioStore);

describe('the health card', () => {
  test('says that all is well only while something is measured and nothing is wrong', () => {
    connectStudio(studioState({ session: live, health: health() }));
    const { unmount } = render(<HealthCard />);
    expect(screen.getByText('All is well')).toBeTruthy();
    unmount();
    resetStudioStore();
    connectStudio(studioState());
    render(<HealthCard />);
    expect(screen.queryByText('All is well')).toBeNull();
  });

  test('shows the worst first, each with its button', async () => {
    const asked = connectStudio(
      studioState({
        session: live,
        health: health(problem('fps-low'), problem('picture-black'), problem('disk-low', 'error')),
      }),
    );
    render(<HealthCard />);
    const items = within(screen.getByRole('list', { name: 'Problems' })).getAllByRole('listitem');
    expect(items.map((item) => item.querySelector('.font-medium')?.textContent)).toEqual([
      'It is disk-low.',
      'It is fps-low.',
      'It is picture-black.',
    ]);
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Open the clips folder' }));
    expect(asked.map(({ name }) => name)).toEqual(['clips.openFolder']);
    await user.click(screen.getByRole('button', { name: 'Picture settings' }));
    expect(useStudioStore.getState().dialog).toEqual({ kind: 'settings', group: 'Picture' });
    await user.click(screen.getByRole('button', { name: 'Choose another source' }));
    expect(useStudioStore.getState().dialog).toEqual({ kind: 'sources' });
  });

  test('says a problem aloud when it comes, and not again with every new number', () => {
    connectStudio(studioState({ session: live, health: health() }));
    render(<HealthCard />);
    const said = (): string | null => screen.getByRole('status').textContent;
    expect(said()).toBe('');
    let revision = 1;
    const now = (...problems: Problem[]): void => {
      revision++;
      const event = { type: 'delta', revision, changed: { health: health(...problems) } } as const;
      act(() => void receiveStateEvent(event, Date.now()));
    };
    now(problem('fps-low', 'warning', 'Only 20.'));
    expect(said()).toBe('Only 20. Mend fps-low.');
    now(problem('fps-low', 'warning', 'Only 19.'));
    expect(said()).toBe('Only 20. Mend fps-low.');
    now(problem('fps-low'), problem('disk-low'));
    expect(said()).toBe('It is disk-low. Mend disk-low.');
  });
});
