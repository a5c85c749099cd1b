// Preloaded by a test: an error in the middle of a worker thread's work, once: half a second into the first open-loop trial.
import { existsSync, writeFileSync } from 'node:fs'
import { isMainThread, parentPort } from 'node:worker_threads'

const marker = process.env.DBTRIAL_TEST_MARKER
if (!isMainThread && !existsSync(marker))
  parentPort?.on('message', (order) => {
    if (order.type !== 'trial' || order.spec.loop !== 'open' || existsSync(marker)) return
    writeFileSync(marker, '')
    setTimeout(() => {
      throw new Error('thrown by a test')
    }, 500)
  })
