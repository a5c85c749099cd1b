/** The rules of the design that a reader cannot see from one file: which half imports which, and where engines are named. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { engines, pooledEngines } from '../../src/engines/registry.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

function importsOf(file: string, withTypes: boolean): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/^(?:import|export) (type )?[^'"]*from '(\.[^']+)'/gm)]
    .filter((match) => withTypes || match[1] === undefined)
    .map((match) => relative(source, resolve(dirname(join(source, file)), match[2] as string)))
}

/** Everything that a file reaches at run time. */
function reached(file: string, seen = new Set<string>()): Set<string> {
  for (const each of importsOf(file, false)) {
    if (seen.has(each)) continue
    seen.add(each)
    reached(each, seen)
  }
  return seen
}

test('assess, statistics and report never reach engines, their clients, servers or a replay', () => {
  for (const file of files.filter((name) => /^(assess|stats|report)\//.test(name))) {
    const forbidden = [...reached(file)].filter((name) => /^(engines|clients|provision|replay|run\/(?!plan\.ts))/.test(name))
    expect(forbidden, file).toEqual([])
  }
})

test('scenario, families and data reach no engine, no server and no clock', () => {
  for (const file of files.filter((name) => /^(scenario|init|families|data)\//.test(name))) {
    const forbidden = [...reached(file)].filter((name) => /^(engines|clients|provision|host|replay|run|report|assess|verify)\//.test(name))
    expect(forbidden, file).toEqual([])
  }
})

test('engines are named only where engines live, in comments, too, but for titles of what is cited', () => {
  const names = [...engines.map(({ name }) => name), ...pooledEngines.map(({ pooler }) => pooler)].join('|')
  const ofComment = /^\s*(\/\/|\*|\/\*).*$|\s\/\/\s.*$/gm
  for (const file of files.filter((name) => !/^(engines|clients)\//.test(name))) {
    const text = readFileSync(join(source, file), 'utf8')
    expect(text.replaceAll(ofComment, ''), file).not.toMatch(new RegExp(`['"\`](${names})['"\`]`))
    const said = (text.match(ofComment) ?? []).map((comment) => comment.replaceAll(/"[^"]*"/g, ''))
    expect(
      said.filter((comment) => new RegExp(`\\b(${names})(ql)?\\b`, 'i').test(comment)),
      file,
    ).toEqual([])
  }
})

test('no file names a registry host', () => {
  for (const file of files)
    expect(readFileSync(join(source, file), 'utf8'), file).not.toMatch(/registry\.npmjs|pypi\.org|repo1?\.maven|crates\.io|deb\.debian/)
})
