import type { Source } from '../../../contract/index.ts';
import { TEST_TONE } from '../audio/plan.ts';
import { testPatternInput } from './args.ts';
import type { GrabbingBackend } from './backend.ts';

const SIZE = { width: 1280, height: 720 };

const SOURCE: Source = {
  id: 'test-pattern',
  kind: 'test-pattern',
  name: 'Test pattern',
  ...SIZE,
  suggested: false,
  available: true,
};

/** A moving picture with a running clock, and a tone, made by ffmpeg itself: works on a machine with no display. */
export function testPatternBackend(): GrabbingBackend {
  return {
    name: 'test-pattern',
    list: async () => Promise.resolve([SOURCE]),
    owns: (id) => id === SOURCE.id,
    open: async () =>
      Promise.resolve({
        id: SOURCE.id,
        kind: SOURCE.kind,
        name: SOURCE.name,
        state: () => ({ ...SIZE, hidden: false, gone: false }),
        method: 'lavfi',
        input: (fps) => testPatternInput(SIZE, fps),
        audio: TEST_TONE,
        release: async () => Promise.resolve(),
      }),
    onChanged: () => undefined,
    thumbnailInput: () => testPatternInput(SIZE, 30),
    close: async () => Promise.resolve(),
  };
}
