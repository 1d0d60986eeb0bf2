import { AppWindow, Cable, Camera, Monitor, Radio, Tv } from 'lucide-react';
import type { SourceKind } from '../../contract/sources.ts';

export function SourceIcon({ kind, size }: { kind: SourceKind; size: number }) {
  const Icon = { window: AppWindow, screen: Monitor, camera: Camera, pipe: Cable, rtmp: Radio, 'test-pattern': Tv }[
    kind
  ];
  return <Icon size={size} strokeWidth={1.5} aria-hidden />;
}
