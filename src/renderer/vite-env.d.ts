/// <reference types="vite/client" />

interface Window {
  /** Exposed by the preload in the desktop shell only. */
  readonly pitwall?: { readonly shell: 'desktop' };
}
