/** `dbtrial doctor`: what would happen on this machine, for every engine and provisioner, and the fix for each no. */
import { existsSync } from 'node:fs'
import type { Engine } from '../engines/engine.ts'
import { engines, pooledEngines } from '../engines/registry.ts'
import { inspectMachine, type MachineFact } from '../host/machine.ts'
import { container } from '../provision/container.ts'
import { external } from '../provision/external.ts'
import { local } from '../provision/local.ts'
import { dataParent } from '../provision/places.ts'
import type { Probe } from '../provision/provision.ts'
import { containerRuntime } from '../provision/runtime.ts'
import { coloured } from '../terminal/style.ts'
import { columns } from '../terminal/tables.ts'
import { end } from './ending.ts'
import { print } from './output.ts'

interface Checkup {
  machine: MachineFact[]
  engines: { engine: string; provisioners: (Probe & { kind: string })[] }[]
}

const marks = { yes: '✓', later: '↓', no: '✗' }

/** Exit code 3 where some engine could not be had at all. */
export async function doctor({ json, data }: { json?: boolean; data?: string }): Promise<void> {
  const checkup: Checkup = {
    engines: [],
    machine: [...(await inspectMachine(dataParent(data))), await memoryLimitFact()],
  }
  for (const engine of [...engines, ...pooledEngines]) {
    const provisioners: Checkup['engines'][number]['provisioners'] = []
    for (const provisioner of [container, local, external(new Map(), () => {})])
      provisioners.push({ kind: provisioner.kind, ...(await provisioner.probe(engine)) })
    checkup.engines.push({ engine: nameOf(engine), provisioners })
  }
  if (json) print(JSON.stringify(checkup, null, 2))
  else print(coloured(text(checkup)))
  const lacking = checkup.engines.filter(({ provisioners }) => provisioners.every((each) => each.usable === 'no')).map(({ engine }) => engine)
  const without = engines.map(nameOf).filter((each) => lacking.includes(each))
  if (without.length > 0) end({ code: 3, reason: `nothing here provides ${without.join(', ')}; the fixes are in the table` })
}

/** With what stands in front of its server, which an engine is had without. */
const nameOf = ({ name, pooler }: Engine) => (pooler === undefined ? name : `${name} behind ${pooler}`)

function text({ machine, engines: found }: Checkup): string {
  const chosen = (provisioners: Probe[]) => provisioners.findIndex((each) => each.usable !== 'no')
  const rows = found.flatMap(({ engine, provisioners }) =>
    provisioners.map((each, at) => [
      at === 0 ? engine : '',
      `${marks[each.usable]} ${each.kind}${at === chosen(provisioners) ? ' (auto)' : ''}`,
      each.what,
      each.fix ?? '',
    ]),
  )
  return [
    columns([['engine', 'provisioner', 'what would run', 'fix'], ...rows]),
    '',
    columns([['machine', 'found', 'fix'], ...machine.map((fact) => [`${fact.ok ? '✓' : '✗'} ${fact.what}`, fact.found, fact.fix ?? ''])]),
    '',
    '✓ now · ↓ after a download · ✗ not here; `auto` takes the first that works; a candidate with --endpoint runs there',
  ].join('\n')
}

/** A process of its own is confined by configuration alone; containers by the kernel. */
async function memoryLimitFact(): Promise<MachineFact> {
  const runtime = await containerRuntime().catch(() => null)
  const ok = runtime?.enforces.memory === true && runtime.enforces.swap && runtime.enforces.cpuset
  const version = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'cgroup v2' : 'cgroup v1'
  return {
    what: 'limits',
    found:
      runtime === null
        ? `${version}; without containers memory is configured, not enforced`
        : `${version}; ${runtime.name} enforces ${[runtime.enforces.cpuset && 'cores', runtime.enforces.memory && 'memory', runtime.enforces.swap && 'no swap'].filter((each) => each !== false).join(', ') || 'nothing'}`,
    ok,
    fix: ok ? null : 'run candidates in containers, on a kernel with cpuset, memory and swap accounting, to have the limits enforced',
  }
}
