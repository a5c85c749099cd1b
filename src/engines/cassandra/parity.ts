/** What a Cassandra node says of itself: its settings against what was asked. */
import type { Client } from 'cassandra-driver'
import { versionOf } from '../../families/wide-column/versions.ts'
import type { Compiled, ConnectOptions, Limits, Parity } from '../engine.ts'
import { askArguments, askFlags, flagsOf, heapMegabytes, heapOf, jvmFlags, jvmProperties } from './jvm.ts'
import { timeout, timeouts } from './server.ts'

export async function cassandraFacts(client: Client, keyspace: string, compiled: Compiled, { administer }: ConnectOptions, limits: Limits) {
  const settings = new Map(
    (await client.execute('SELECT name, value FROM system_views.settings', [], { prepare: false })).rows.map((row) => [
      String(row.name),
      String(row.value),
    ]),
  )
  const properties = new Map(
    (await client.execute('SELECT name, value FROM system_views.system_properties', [], { prepare: false })).rows.map((row) => [
      String(row.name),
      String(row.value),
    ]),
  )
  const [local] = (await client.execute('SELECT release_version FROM system.local')).rows
  const [space] = (await client.execute('SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace])).rows
  const sync = compiled.durability === 'fsync' ? 'batch' : 'periodic'
  const effective = String(settings.get('commitlog_sync'))
  const runs = administer === undefined ? null : flagsOf(await administer(askFlags))
  const said = administer === undefined ? null : await administer(askArguments)
  const parity: Parity[] = [
    { what: 'commitlog_sync', asked: `durability ${compiled.durability}`, set: sync, effective, ok: effective === sync },
    {
      what: 'timeouts',
      asked: 'only the client gives up',
      set: timeout,
      effective: [...new Set(timeouts.map((name) => settings.get(name) ?? 'unknown'))].join(', '),
      ok: timeouts.every((name) => settings.get(name) === timeout),
      sizing: true,
    },
    { what: 'java', asked: '11 or 17', set: 'the one on the PATH', effective: properties.get('java.version') ?? 'unknown', ok: true },
    ...jvmParity(runs, said, limits),
    ...promises(compiled, space?.replication),
  ]
  return { version: String(local?.release_version), parity }
}

/** What follows from the model and the keyspace, whatever product it is. */
export function promises(compiled: Compiled, told: unknown): Parity[] {
  const replication = (told ?? {}) as Record<string, string>
  return [
    {
      what: 'replication',
      asked: 'one node',
      set: 'factor 1',
      effective: `${replication.class?.split('.').at(-1)}, factor ${replication.replication_factor}`,
      ok: replication.replication_factor === '1',
    },
    { what: 'consistency', asked: 'strong', set: 'QUORUM reads and writes', effective: 'stated with every request', ok: true },
    { what: 'isolation', asked: 'atomic writes across tables', set: 'logged batch', effective: 'atomic, not isolated across partitions', ok: true },
    ...(compiled.model.stores.some((store) => store.unique)
      ? [
          {
            what: 'uniqueness',
            asked: 'unique fields',
            set: 'a table from value to row for each',
            effective: 'each value claimed by a lightweight transaction before its row is written',
            ok: true,
          },
        ]
      : []),
    ...(compiled.model.stores.some((store) => versionOf(store) !== undefined)
      ? [
          {
            what: 'deletion',
            asked: 'what is deleted stays deleted, whoever changes it meanwhile',
            set: 'a version in every row that is both changed and deleted',
            effective:
              'each change is a lightweight transaction on the base row; its other tables follow in a logged batch that has the version for its time, and stay behind where the client dies between the two',
            ok: true,
          },
        ]
      : []),
    ...(compiled.scenario.entities.some((entity) => entity.ttlMs !== null)
      ? [
          {
            what: 'expiry',
            asked: 'rows live for their ttl',
            set: 'USING TTL, a day longer, until 2038 and for 20 years at most',
            effective: 'readers filter by expires_at, which alone decides',
            ok: true,
          },
        ]
      : []),
    { what: 'referential integrity', asked: 'references point at rows', set: 'none', effective: 'not enforced by this engine', ok: true },
  ]
}

/** What the node's JVM says it runs with: its flags, and what it was started with; null where it cannot be asked, because the node is not ours. */
export function jvmParity(flags: string[] | null, started: string | null, limits: Limits): Parity[] {
  const set = jvmFlags(limits)
  const missing = flags === null ? [] : set.filter((flag) => !flags.includes(flag))
  const others = started === null ? [] : jvmProperties.filter((each) => !started.split(/[[\],\s]+/).includes(each))
  const heap = heapMegabytes(limits)
  return [
    {
      what: 'heap',
      asked: 'half of the memory limit',
      set: `${heap} MB`,
      effective: flags === null ? 'not asked' : `${heapOf(flags)} MB`,
      ok: flags === null || Math.abs(heapOf(flags) - heap) < heap * 0.1,
      sizing: true,
    },
    {
      what: 'JVM flags',
      asked: "those of the distribution's jvm-server and jvm11/17-server.options; heap and processors from the limits",
      set: set.join(' '),
      effective:
        flags === null ? 'not asked' : `${missing.length === 0 ? 'all of them' : `all but ${missing.join(' ')}`}; it says ${flags.join(' ')}`,
      ok: missing.length === 0,
      sizing: true,
    },
    {
      what: 'JVM properties',
      asked: "those of the distribution's jvm-server and jvm11/17-server.options",
      set: jvmProperties.join(' '),
      effective: started === null ? 'not asked' : others.length === 0 ? 'all of them' : `all but ${others.join(' ')}`,
      ok: others.length === 0,
      sizing: true,
    },
  ]
}
