/** Gets a server's files once, through the package managers of this machine, into the cache, by exact version and checksum. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import type { ServerPackage } from '../engines/engine.ts'
import { messageOf } from '../errors.ts'
import { cacheDirectory } from './places.ts'

const run = promisify(execFile)
const platform = `${process.platform}-${process.arch}`
const timeoutMs = 8 * 60_000

/** What could not be had, in one sentence, and the mend. */
export class FetchFailure extends Error {
  readonly mend: string
  constructor(message: string, mend: string) {
    super(message)
    this.mend = mend
  }
}

export const hasFiles = (wanted: ServerPackage) => (wanted.files[platform] ?? wanted.files['any']) !== undefined

export const isFetched = (wanted: ServerPackage) => existsSync(join(targetOf(wanted), '.complete'))

function targetOf({ name, version }: ServerPackage): string {
  return join(cacheDirectory(), 'servers', `${name.replace('PLATFORM', platform).replaceAll(/[^\w.-]+/g, '_')}-${version}`)
}

/** The directory of the package's programs. @throws FetchFailure */
export async function fetchPackage(wanted: ServerPackage, report: (message: string) => void, signal: AbortSignal): Promise<string> {
  const file = wanted.files[platform] ?? wanted.files['any']
  if (file === undefined)
    throw new FetchFailure(
      `${wanted.manager} has no ${wanted.name} for ${platform}`,
      "install the server with the system's package manager, so that it is on the PATH",
    )
  const name = wanted.name.replace('PLATFORM', platform)
  const cache = join(cacheDirectory(), 'servers')
  const target = targetOf(wanted)
  const home = join(target, wanted.home)
  if (existsSync(join(target, '.complete'))) return home
  mkdirSync(cache, { recursive: true, mode: 0o755 })
  // Several runs may fetch at once: each works in its own directory, the first rename wins.
  const work = mkdtempSync(join(cache, '.fetch-'))
  chmodSync(work, 0o755)
  try {
    report(`fetching ${name} ${wanted.version} with ${wanted.manager}`)
    const { download, unpack } = managers[wanted.manager]
    const sum = await download({ ...wanted, name }, file.name, work, signal)
    if (sum !== file.sha256) {
      throw new FetchFailure(
        `${name} ${wanted.version} has checksum ${sum.slice(0, 16)}…, expected ${file.sha256.slice(0, 16)}…`,
        'the package changed since it was checked: update dbtrial, or report this',
      )
    }
    await unpack?.(file.name, work, signal)
    if (unpack !== undefined) makeRunnable(join(work, wanted.home))
    writeFileSync(join(work, '.complete'), '')
    try {
      renameSync(work, target)
    } catch (error) {
      if (!existsSync(join(target, '.complete'))) throw error
    }
    return home
  } catch (error) {
    if (error instanceof FetchFailure || signal.aborted) throw error
    throw new FetchFailure(
      `${wanted.manager} could not fetch ${name} ${wanted.version}: ${firstReason(error)}`,
      `check the network and ${wanted.manager}'s settings, or install the server so that it is on the PATH`,
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

interface Manager {
  /** Downloads and returns the checksum of what it downloaded. */
  download(wanted: ServerPackage, file: string, work: string, signal: AbortSignal): Promise<string>
  /** Only what has the right checksum is opened; absent: there is nothing to unpack. */
  unpack?(file: string, work: string, signal: AbortSignal): Promise<void>
}

const managers: Record<ServerPackage['manager'], Manager> = {
  npm: {
    async download({ name, version }, file, work, signal) {
      await call('npm', ['pack', `${name}@${version}`, '--silent', '--ignore-scripts', '--pack-destination', work], work, signal)
      return sha256(join(work, file))
    },
    async unpack(file, work, signal) {
      await call('tar', ['-xzf', file], work, signal)
      rmSync(join(work, file))
      restoreLinks(join(work, 'package'))
    },
  },
  pip: {
    async download({ name, version }, file, work, signal) {
      const quietly = ['--quiet', '--disable-pip-version-check']
      const wheel = ['--no-deps', '--only-binary=:all:', ...wheelFlags(file), '--dest', work, `${name}==${version}`]
      await firstThatRuns(pythons, (python) => call(python, ['-m', 'pip', 'download', ...quietly, ...wheel], work, signal))
      return sha256(join(work, file))
    },
    async unpack(file, work, signal) {
      await firstThatRuns(pythons, (python) => call(python, ['-m', 'zipfile', '-e', file, 'package'], work, signal))
      rmSync(join(work, file))
    },
  },
  maven: {
    async download({ name, version }, _file, work, signal) {
      const [group, artifact] = name.split(':')
      const dependency = `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
      const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>dbtrial</groupId><artifactId>server</artifactId><version>1</version><dependencies>${dependency}</dependencies></project>`
      writeFileSync(join(work, 'pom.xml'), pom)
      const places = [`-Dmaven.repo.local=${join(work, 'repository')}`, `-DoutputDirectory=${join(work, 'package')}`]
      await call('mvn', ['-q', '-B', '--strict-checksums', ...places, copyDependencies], work, signal)
      rmSync(join(work, 'repository'), { recursive: true, force: true })
      const jars = readdirSync(join(work, 'package')).sort()
      return createHash('sha256')
        .update(jars.map((jar) => `${jar} ${sha256(join(work, 'package', jar))}\n`).join(''))
        .digest('hex')
    },
  },
}

const pythons = ['python3', '/usr/bin/python3', 'python']
/** A plugin without a version is whatever the repository calls its newest. */
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** A wheel of one Python version is fetched by any: it only carries a server. */
function wheelFlags(file: string): string[] {
  const [, major, minor, platforms = ''] = /-cp(\d)(\d+)-cp\d+-([\w.]+)\.whl$/.exec(file) ?? []
  if (major === undefined) return []
  return [
    '--implementation',
    'cp',
    '--python-version',
    `${major}.${minor}`,
    '--abi',
    `cp${major}${minor}`,
    '--platform',
    platforms.split('.').at(-1) as string,
  ]
}

async function call(program: string, arguments_: string[], cwd: string, signal: AbortSignal): Promise<void> {
  await run(program, arguments_, { cwd, signal, timeout: timeoutMs, maxBuffer: 1 << 24 })
}

async function firstThatRuns(programs: string[], attempt: (program: string) => Promise<void>): Promise<void> {
  const reasons: string[] = []
  for (const program of programs) {
    try {
      return await attempt(program)
    } catch (error) {
      reasons.push(`${program}: ${firstReason(error)}`)
    }
  }
  throw new Error(reasons.join('; '))
}

function firstReason(error: unknown): string {
  const { code, path, stderr } = error as { code?: string; path?: string; stderr?: string }
  if (code === 'ENOENT' && path !== undefined) return `${path} is not installed`
  const lines = (stderr ?? '').split('\n').filter((line) => /error/i.test(line))
  return (lines[0] ?? messageOf(error)).slice(0, 200)
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** npm packages cannot carry symbolic links: this one lists them in a file that its install script would read. */
function restoreLinks(directory: string): void {
  const root = realpathSync(directory)
  const list = join(root, 'native', 'pg-symlinks.json')
  if (existsSync(list)) {
    for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
      const link = within(root, target)
      rmSync(link, { force: true })
      symlinkSync(relative(dirname(link), within(root, source)), link)
    }
  }
}

/** @throws FetchFailure where a path of the package leads out of it, by itself or by a link on the way. */
function within(root: string, path: string): string {
  const full = resolve(root, path)
  if (full.startsWith(`${root}${sep}`) && realpathSync(dirname(full)) === dirname(full)) return full
  throw new FetchFailure(`the package names a path outside of itself: ${JSON.stringify(path).slice(0, 100)}`, 'do not use it: report this')
}

function makeRunnable(home: string): void {
  for (const entry of readdirSync(home, { withFileTypes: true })) if (entry.isFile()) chmodSync(join(home, entry.name), 0o755)
}
