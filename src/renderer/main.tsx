import './zod-setup.ts';
import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App.tsx';
import { ErrorBoundary } from './app/ErrorBoundary.tsx';
import { keepConnected } from './store/connection.ts';
import { desktopWires, webSocketWires } from './store/wires.ts';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

keepConnected(window.pitwall?.shell === 'desktop' ? desktopWires(window) : webSocketWires(window.location));

createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <App />
    </ErrorBoundary>
  </StrictMode>,
);
