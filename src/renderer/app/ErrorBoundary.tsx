import { Component, type ReactNode } from 'react';

/** Last resort when drawing fails: the engine does not notice, so reloading the page loses nothing. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(thrown: unknown): { error: Error } {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <main className="grid min-h-screen place-items-center p-6">
        <div role="alert" className="card max-w-lg p-6">
          <h1 className="text-lg font-semibold">The interface ran into an error</h1>
          <p className="mt-2 text-dim">
            Streaming and the replay run on without it: nothing is lost. Reload the interface to go on.
          </p>
          <pre className="scroll mt-4 max-h-32 rounded-md bg-page p-3 font-mono text-xs text-dim">
            {this.state.error.message}
          </pre>
          <button
            type="button"
            className="mt-4 h-9 rounded-lg bg-accent px-4 font-semibold text-accent-ink"
            onClick={() => window.location.reload()}
          >
            Reload
          </button>
        </div>
      </main>
    );
  }
}
