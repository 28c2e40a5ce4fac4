// SPDX-License-Identifier: Apache-2.0
// One build: hashed assets, nothing inlined (the node serves them under `default-src 'self'`).
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => ({
  base: '/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  worker: { format: 'es' },
  build: {
    target: 'es2020',
    outDir: mode === 'bench' ? '../build/console-bench' : 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: mode === 'bench' ? { input: 'test/bench/index.html' } : {},
  },
  server: { proxy: { '/api': process.env.DAIZONG_URL || 'http://127.0.0.1:8600' } },
}));
