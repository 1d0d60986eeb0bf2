import { resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const here = import.meta.dirname;

/**
 * One build for both shells: `index` is Electron's entry, `headless` plain Node's, `cli` the parser of flags for
 * scripts/start.mjs, `rtmp-host` the child process around node-media-server. The default `chunks/` folder breaks `new URL('./x.js', import.meta.url)` from shared code.
 */
export default defineConfig({
  main: {
    build: {
      rolldownOptions: {
        input: {
          index: resolve(here, 'src/main/index.ts'),
          headless: resolve(here, 'src/main/headless.ts'),
          cli: resolve(here, 'src/main/cli.ts'),
          'rtmp-host': resolve(here, 'src/main/engine/rtmp/rtmp-host.ts'),
        },
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: resolve(here, 'src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: resolve(here, 'src/renderer'),
    plugins: [react(), tailwindcss()],
    worker: { format: 'es' },
    build: {
      minify: true,
      rolldownOptions: { input: resolve(here, 'src/renderer/index.html') },
    },
  },
});
