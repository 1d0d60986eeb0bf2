import '../zod-setup.ts';
import '@testing-library/jest-dom/vitest';
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';
import { resetStudioStore } from '../store/store.ts';

afterEach(() => {
  cleanup();
  resetStudioStore();
});
