import { AppWindow, Monitor, Tv } from 'lucide-react';
import type { SourceKind } from '../../contract/sources.ts';

export function SourceIcon({ kind, size }: { kind: SourceKind; size: number }) {
  const Icon = kind === 'window' ? AppWindow : kind === 'screen' ? Monitor : Tv;
  return <Icon size={size} strokeWidth={1.5} aria-hidden />;
}
