// Preloaded by a test: every process that replays loses most of its time to something else.
if (process.argv[1]?.endsWith('replay/worker.ts'))
  setInterval(() => {
    for (const end = performance.now() + 80; performance.now() < end; );
  }, 100)
