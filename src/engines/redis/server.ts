/** How a server is configured and started. */
import type { Durability } from '../../scenario/scenario.ts'
import { settingsOf } from '../configuration.ts'
import type { Limits, ServerImage, ServerSpec } from '../engine.ts'
import { certificateFiles, emptyDirectory } from '../server-files.ts'
import { secured } from './access.ts'
import { maxMemory } from './session.ts'

/** Of one of the products. */
export interface Build {
  name: string
  program: string
  major: string
  image: ServerImage
  onPath: ServerSpec['onPath']
  package: ServerSpec['package']
}

export const settings = (name: string, limits: Limits, durability: Durability): Record<string, string> => ({
  ...settingsOf(name, durability),
  maxmemory: String(maxMemory(limits)),
  'maxmemory-policy': 'noeviction',
})

/** `settings`: by the limits and the durability of a server. */
export const serverOf = (
  { name, program, major, image, onPath, package: package_ }: Build,
  settings: (limits: Limits, durability: Durability) => Record<string, string>,
): ServerSpec => ({
  major,
  image,
  ports: [6379],
  onPath,
  package: package_,
  needs: [{ program: 'python3', hint: `install Python 3 with pip (Debian: python3-pip), or ${program} so that it is on the PATH` }],
  stopSignal: 'SIGTERM',
  user: 'default',
  files: ({ address, dataDirectory, directory, port, password, limits, durability, security }) => [
    ...certificateFiles({ security }),
    {
      name: `${name}.conf`,
      text: [
        ...Object.entries(settings(limits, durability)).map(([setting, value]) => `${setting} ${value}`),
        `bind ${address}`,
        ...(security === undefined ? [`port ${port}`] : secured(port, directory, security.role)),
        `dir ${dataDirectory}`,
        'protected-mode no', // It would refuse a client from outside of a container.
        `requirepass ${password}`,
        'save ""',
        'loglevel warning',
        '',
      ].join('\n'),
    },
  ],
  prepare: emptyDirectory,
  start: ({ home, directory }) => ({ program: `${home}/${program}`, arguments: [`${directory}/${name}.conf`] }),
})
