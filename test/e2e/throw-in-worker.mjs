// Preloaded by a test: an error in the middle of a worker's work, once: half a second into the first open-loop trial.
import { existsSync, writeFileSync } from 'node:fs'

const marker = process.env.DBTRIAL_TEST_MARKER
if (process.argv[1]?.endsWith('replay/worker.ts') && !existsSync(marker))
  process.on('message', (order) => {
    if (order.type !== 'trial' || order.spec.loop !== 'open' || existsSync(marker)) return
    writeFileSync(marker, '')
    setTimeout(() => {
      throw new Error('thrown by a test')
    }, 500)
  })
