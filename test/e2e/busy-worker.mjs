// Preloaded by a test: every worker thread loses most of its time to something else.
import { isMainThread } from 'node:worker_threads'

if (!isMainThread)
  setInterval(() => {
    for (const end = performance.now() + 12; performance.now() < end; );
  }, 15)
