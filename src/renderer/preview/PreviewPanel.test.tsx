import { render, screen } from '@testing-library/react';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { CaptureInfo } from '../../contract/capture.ts';
import { connectStudio, source, studioState } from '../test/studio.ts';
import { PreviewPanel } from './PreviewPanel.tsx';

// jsdom has no canvas and no WebCodecs; what is said around the picture needs neither
vi.mock('./LivePicture.tsx', () => ({ LivePicture: () => null }));

const pipe: CaptureInfo = { id: 'obs-pipe', name: 'OBS (pipe)', kind: 'pipe' };
const listed = source('obs-pipe', { kind: 'pipe', name: 'OBS (pipe)', hint: 'In OBS: choose mpegts.' });

test('a source that another program sends says what to set there, then what is wrong', () => {
  const session = { state: 'starting', source: pipe } as const;
  const state = studioState({ session, sources: [listed] });
  connectStudio(state);
  const { unmount } = render(<PreviewPanel />);
  expect(screen.getByText('Waiting for OBS (pipe)')).toBeVisible();
  expect(screen.getByText('In OBS: choose mpegts.')).toBeVisible();
  unmount();
  const problem = {
    code: 'input-unreadable',
    severity: 'error',
    message: 'Not MPEG-TS.',
    remedy: 'Choose it.',
  } as const;
  connectStudio({ ...state, health: { ...state.health, problems: [problem] } });
  render(<PreviewPanel />);
  expect(screen.getByText('Not MPEG-TS.')).toBeVisible();
  expect(screen.getByText('Choose it.')).toBeVisible();
});

test('HEVC is prepared for this window, and when it cannot be, that is said', () => {
  vi.stubGlobal('VideoDecoder', vi.fn());
  vi.stubGlobal('OffscreenCanvas', vi.fn());
  onTestFinished(() => void vi.unstubAllGlobals());
  const session = { state: 'live', source: { ...pipe, codec: 'hevc', width: 1280, height: 720 }, since: 0 } as const;
  const state = studioState({ session });
  connectStudio(state);
  const { unmount } = render(<PreviewPanel />);
  expect(screen.getByText('1280 × 720')).toBeVisible();
  expect(screen.getByText('Preparing the preview')).toBeVisible();
  unmount();
  const problem = {
    code: 'preview-failed',
    severity: 'warning',
    message: 'No encoder here.',
    remedy: 'Install one.',
  } as const;
  connectStudio({ ...state, health: { ...state.health, problems: [problem] } });
  render(<PreviewPanel />);
  expect(screen.getByText('No encoder here.')).toBeVisible();
  expect(screen.getByText('Install one.')).toBeVisible();
});
