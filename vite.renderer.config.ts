import { resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;
const engine = 'http://127.0.0.1:1688';

/** The dev server injects an inline script for fast refresh; the built page keeps its strict policy. */
const relaxPolicyWhileDeveloping: Plugin = {
  name: 'relax-policy-while-developing',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'"),
};

/**
 * The user interface alone, without Electron: `vite build` writes out/renderer, `npm run dev:ui` serves it with hot
 * reload in front of an engine on port 1688. The proxy rewrites Host and Origin because the engine serves only its own.
 */
export default defineConfig({
  root: resolve(here, 'src/renderer'),
  plugins: [react(), tailwindcss(), relaxPolicyWhileDeveloping],
  worker: { format: 'es' },
  build: { outDir: resolve(here, 'out/renderer'), emptyOutDir: true, minify: true },
  server: {
    proxy: {
      '/api': { target: engine, changeOrigin: true, headers: { origin: engine } },
      '/rpc': { target: engine, changeOrigin: true, ws: true, headers: { origin: engine } },
    },
  },
});
