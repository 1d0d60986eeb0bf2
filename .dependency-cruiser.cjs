/** Layer rules of docs/ARCHITECTURE.md, enforced. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contract-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/contract' },
      to: { path: '^src/(main|preload|renderer)' },
    },
    {
      name: 'renderer-imports-contract-only',
      severity: 'error',
      from: { path: '^src/renderer' },
      to: { path: '^src/(main|preload)' },
    },
    {
      name: 'engine-imports-contract-and-x11-only',
      severity: 'error',
      from: { path: '^src/main/engine' },
      to: { path: '^src/(main/host|main/index|main/headless|main/cli|preload|renderer)' },
    },
    {
      name: 'x11-stands-alone',
      severity: 'error',
      from: { path: '^src/main/x11' },
      to: { path: '^src/', pathNot: '^src/main/x11' },
    },
    {
      name: 'electron-only-at-the-shell',
      severity: 'error',
      from: { path: '^(src|e2e|bench|test)', pathNot: '^src/(main/index|main/host/electron|preload/index)' },
      to: { path: '^(electron$|node_modules/electron/)' },
    },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: '^src', pathNot: '\\.test\\.tsx?$|^src/renderer/test' },
      to: { path: '\\.test\\.tsx?$' },
    },
    {
      name: 'no-orphan-dev-dependency',
      severity: 'error',
      from: { path: '^src/(main|contract)', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/(electron|@types)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
