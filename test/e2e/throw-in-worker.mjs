// Preloaded by a test: an error in the middle of a worker thread's work, once.
import { existsSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const marker = process.env.DBTRIAL_TEST_MARKER
if (!isMainThread && !existsSync(marker)) {
  setTimeout(() => {
    if (existsSync(marker)) return
    writeFileSync(marker, '')
    throw new Error('thrown by a test')
  }, 10_500)
}
