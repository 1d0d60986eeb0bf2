import { StudioError, type Source } from '../../../contract/index.ts';
import type { GrabbingBackend } from './backend.ts';

const REASON =
  'Windows of Wayland programs cannot be captured yet. Games under Proton and Wine can: they are in this list. For others start the game with SDL_VIDEODRIVER=x11, or capture it in OBS and choose "OBS (pipe)" here.';

const SOURCE: Source = {
  id: 'wayland',
  kind: 'window',
  name: 'Windows of Wayland programs',
  suggested: false,
  available: false,
  reason: REASON,
};

/**
 * Says on a Wayland desktop what of it cannot be seen and what helps. XWayland shows the windows of X11 programs, which Wine's are; of others only the
 * desktop portal gives pictures, over PipeWire, which no ffmpeg release reads.
 */
export function waylandNotice(): GrabbingBackend {
  return {
    name: 'wayland',
    owns: (id) => id === SOURCE.id,
    list: async () => Promise.resolve([SOURCE]),
    open: async () => Promise.reject(new StudioError('source-unavailable', 'This cannot be captured.', REASON)),
    onChanged: () => undefined,
    thumbnailInput: () => undefined,
    close: async () => Promise.resolve(),
  };
}
