import { expect, it } from 'vitest';
import type { SessionFacts } from '../capture/status.ts';
import { liveCodec } from './live-codec.ts';

const facts = (change: Partial<SessionFacts>): SessionFacts => ({
  phase: 'running',
  info: { id: 'test-pattern', name: 'Test pattern', kind: 'test-pattern', codec: 'h264' },
  lastPictureAt: 100,
  ...change,
});

it.each([
  ['live', facts({}), 100.1, 'h264'],
  ['interrupted for a moment', facts({ phase: 'retrying' }), 109, 'h264'],
  ['interrupted for long', facts({ phase: 'retrying' }), 111, undefined],
  ['still', facts({}), 111, undefined],
  ['without a picture yet', facts({ lastPictureAt: undefined }), 100, undefined],
  ['over', facts({ phase: 'ended' }), 100, undefined],
  ['none', undefined, 100, undefined],
] as const)('a capture that is %s', (_, session, now, codec) => expect(liveCodec(session, now)).toBe(codec));
