/** A report as PDF: printed by a browser of this machine, from the file, without a network. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { messageOf, TrialError } from '../errors.ts'
import { which } from '../host/programs.ts'

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const printWithinMs = 120_000

/** @throws TrialError where there is none. */
export function installedBrowser(): string {
  const found = programs.flatMap((program) => which(program) ?? [])[0]
  if (found === undefined)
    throw new TrialError('browser-missing', `a PDF is printed by Chromium, and none of ${programs.join(', ')} is on the PATH`, {
      exitCode: 3,
      hint: 'install it (Debian: chromium), or print report.html from a browser',
    })
  return found
}

/** Beside the page; returns its path. @throws TrialError where the browser does not print. */
export async function printPdf(browser: string, html: string): Promise<string> {
  const pdf = html.replace(/\.html$/, '.pdf')
  const profile = mkdtempSync(join(tmpdir(), 'dbtrial-browser-'))
  try {
    await promisify(execFile)(
      browser,
      [
        '--headless',
        '--disable-gpu',
        // Root has no sandbox of Chromium's; the page is our own, and its policy permits no script from elsewhere.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        `--user-data-dir=${profile}`,
        '--no-pdf-header-footer',
        `--print-to-pdf=${pdf}`,
        pathToFileURL(html).href,
      ],
      { timeout: printWithinMs },
    )
  } catch (error) {
    throw new TrialError('pdf-failed', `${browser} printed no PDF: ${messageOf(error).split('\n')[0]}`, {
      hint: 'print report.html from a browser',
      cause: error,
    })
  } finally {
    rmSync(profile, { recursive: true, force: true })
  }
  if (!existsSync(pdf)) throw new TrialError('pdf-failed', `${browser} ended without a PDF`, { hint: 'print report.html from a browser' })
  return pdf
}
