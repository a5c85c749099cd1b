/** Untrusted text can neither steer a terminal nor a Markdown page. */
import { expect, test } from 'vitest'
import { withoutControls } from '../../src/controls.ts'
import { paragraph } from '../../src/report/render/document.ts'
import { toMarkdown } from '../../src/report/render/markdown.ts'

test('terminal escapes are shown, colours of our own stay', () => {
  expect(withoutControls('a\u001b[2Jb\u001b]0;pwned\u0007c\rd\ne\tf')).toBe('a\\u{1b}[2Jb\\u{1b}]0;pwned\\u{7}c\\u{d}d\ne\tf')
  expect(withoutControls('\u001b[32mgood\u001b[39m')).toBe('\u001b[32mgood\u001b[39m')
  expect(withoutControls('\u202egnp.exe')).toBe('\\u{202e}gnp.exe')
})

test('no text opens a list, a rule, a fence, a link or a mention', () => {
  const lines = toMarkdown(
    ['x\n\n~~~\n', '- item', '---', '1. one', '+ plus', '=== x', 'https://example.invalid @somebody', '&lt;b&gt;'].map(paragraph),
  ).split('\n')
  for (const line of lines) expect(line).not.toMatch(/^(~~~|- |---|\d+\. |\+ |===)|https:\/\/|@somebody|&lt;b/)
})
