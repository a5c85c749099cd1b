import { expect, test } from 'vitest'
import { flagsOf, jvmArguments, jvmFlags, jvmProperties } from '../../../src/engines/cassandra/jvm.ts'
import { jvmParity } from '../../../src/engines/cassandra/parity.ts'

const limits = { cpus: 2, memoryBytes: 4 * 2 ** 30 }

test('a node runs with the options of its distribution, and with a heap and processors from the limits', () => {
  const all = jvmArguments(limits)
  for (const each of [
    ...['-ea', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=300', '-XX:InitiatingHeapOccupancyPercent=70', '-XX:MaxTenuringThreshold=1'],
    ...['-XX:+AlwaysPreTouch', '-XX:+ParallelRefProcEnabled', '-Dio.netty.tryReflectionSetAccessible=true'],
    ...['-XX:ActiveProcessorCount=2', `-XX:MinHeapSize=${2 ** 31}`, `-XX:MaxHeapSize=${2 ** 31}`],
  ])
    expect(all).toContain(each)
})

test('the parity table has what the running JVM says, and what it lacks is no parity', () => {
  const printed = `com.sun.management:type=DiagnosticCommand\n${jvmFlags(limits).join(' ')} -XX:-UseNUMA -XX:ConcGCThreads=1\n`
  const started = `java.lang:type=Runtime\n[-Xfoo, ${jvmProperties.join(', ')}]\n`
  expect(jvmParity(flagsOf(printed), started, limits).map((each) => [each.what, each.ok, each.effective.slice(0, 11)])).toEqual([
    ['heap', true, '2048 MB'],
    ['JVM flags', true, 'all of them'],
    ['JVM properties', true, 'all of them'],
  ])
  const other = jvmParity(flagsOf(printed.replace('-XX:MaxGCPauseMillis=300', '-XX:MaxGCPauseMillis=200')), started.replace('-ea, ', ''), limits)
  expect(other.map((each) => each.ok)).toEqual([true, false, false])
  expect(other[1]?.effective).toMatch(/^all but -XX:MaxGCPauseMillis=300; it says .*-XX:MaxGCPauseMillis=200/)
})
