import { z } from 'zod';

// Imported before any schema is built: zod's compiled fast path probes `new Function`, which our policy forbids.
z.config({ jitless: true });
