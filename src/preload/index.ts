import { contextBridge, ipcRenderer } from 'electron';

/**
 * Hands the contract's port over to the page, nothing else: a `MessagePort` cannot cross the context bridge, so it
 * travels by `window.postMessage`; the page checks that the event came from its own window.
 */
contextBridge.exposeInMainWorld('pitwall', { shell: 'desktop' });

ipcRenderer.on('pitwall:port', (event) => {
  // a page without a real origin could only be addressed by '*': it gets nothing
  if (window.location.origin !== 'null') window.postMessage('pitwall:port', window.location.origin, event.ports);
});
