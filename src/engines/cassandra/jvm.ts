/** The options that Cassandra's distribution starts its JVM with (jvm-server, jvm11-server and jvm17-server.options), and what a running one says of them. */
import type { Limits } from '../engine.ts'

const MiB = 2 ** 20
const listAll = (flag: string, module: string, packages: string[]) => packages.map((each) => `${flag}=${module}/${each}=ALL-UNNAMED`)

/** What the option files open for Java 11 and 17, and what the login over JMX needs beside. */
export const moduleFlags = [
  ...listAll('--add-exports', 'java.base', ['java.lang.ref', 'jdk.internal.misc', 'jdk.internal.ref', 'jdk.internal.util', 'sun.nio.ch']),
  ...listAll('--add-exports', 'java.management', ['com.sun.jmx.remote.security']),
  ...listAll('--add-exports', 'java.management.rmi', ['com.sun.jmx.remote.internal.rmi']),
  ...listAll('--add-exports', 'java.rmi', ['sun.rmi.registry', 'sun.rmi.server', 'sun.rmi.transport.tcp']),
  ...listAll('--add-exports', 'java.sql', ['java.sql']),
  ...listAll('--add-exports', 'jdk.attach', ['sun.tools.attach']),
  ...listAll('--add-exports', 'jdk.compiler', ['com.sun.tools.javac.file']),
  ...listAll('--add-exports', 'jdk.unsupported', ['sun.misc']),
  ...listAll('--add-opens', 'java.base', [
    ...[
      'java.io',
      'java.lang',
      'java.lang.module',
      'java.lang.reflect',
      'java.net',
      'java.nio',
      'java.util',
      'java.util.concurrent',
      'java.util.concurrent.atomic',
    ],
    ...[
      'jdk.internal.loader',
      'jdk.internal.math',
      'jdk.internal.module',
      'jdk.internal.ref',
      'jdk.internal.reflect',
      'jdk.internal.util.jar',
      'sun.nio.ch',
    ],
  ]),
  ...listAll('--add-opens', 'jdk.compiler', ['com.sun.tools.javac']),
  ...listAll('--add-opens', 'jdk.management', ['com.sun.management.internal']),
  ...listAll('--add-opens', 'java.rmi', ['sun.rmi.transport.tcp']),
]

/** Half of the memory limit is heap; the rest serves off-heap structures and the page cache. */
export function heapMegabytes({ memoryBytes }: Pick<Limits, 'memoryBytes'>): number {
  return Math.max(512, Math.floor(memoryBytes / 2 / MiB))
}

/** Flags that the JVM may turn off where the machine has nothing for them. */
const machineDependent = ['-XX:+UseNUMA']

/** The heap and the processors follow the limits, which the distribution's scripts would read off the machine; a node without memory ends. */
function sizedFlags(limits: Limits): string[] {
  const bytes = heapMegabytes(limits) * MiB
  return [
    ...['Min', 'Initial', 'Max'].map((which) => `-XX:${which}HeapSize=${bytes}`),
    `-XX:ActiveProcessorCount=${limits.cpus}`,
    '-XX:+ExitOnOutOfMemoryError',
  ]
}

/** As VM.flags prints them: sizes in bytes, the stack's in KiB. */
const distributionFlags = [
  '-XX:+UseThreadPriorities',
  '-XX:ThreadStackSize=256',
  '-XX:+AlwaysPreTouch',
  '-XX:-UseBiasedLocking',
  '-XX:+UseTLAB',
  '-XX:+ResizeTLAB',
  '-XX:+PerfDisableSharedMem',
  '-XX:+UseG1GC',
  '-XX:+ParallelRefProcEnabled',
  '-XX:MaxTenuringThreshold=1',
  `-XX:G1HeapRegionSize=${16 * MiB}`,
  '-XX:G1RSetUpdatingPauseTimePercent=5',
  '-XX:MaxGCPauseMillis=300',
  '-XX:InitiatingHeapOccupancyPercent=70',
]

/** The heap dump of the distribution is left out: it would be written beside the data of a server that is about to be removed. */
export const jvmFlags = (limits: Limits) => [...sizedFlags(limits), ...distributionFlags]

/** Assertions are on, but of the library that they make run out of memory. Without the reflection Netty takes its buffers from a slower allocator. */
export const jvmProperties = [
  '-ea',
  '-da:net.openhft...',
  '-Djava.net.preferIPv4Stack=true',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dio.netty.allocator.useCacheForAllThreads=true',
  '-Dio.netty.allocator.maxOrder=11',
]

/** All that a node's JVM is started with. */
export const jvmArguments = (limits: Limits) => [...moduleFlags, ...jvmFlags(limits), ...machineDependent, ...jvmProperties]

const askBean = (bean: string, ...what: string[]) => ['sjk', 'mx', '-b', bean, ...what]
/** Of nodetool: the running JVM tells its flags that are not the JVM's own defaults, and what it was started with. */
export const askFlags = askBean('com.sun.management:type=DiagnosticCommand', '-mc', '-op', 'vmFlags', '-a', '')
export const askArguments = askBean('java.lang:type=Runtime', '-mg', '-f', 'InputArguments')

/** Flags that are not the JVM's own defaults, as it printed them. */
export const flagsOf = (printed: string): string[] => printed.match(/-XX:\S+/g) ?? []

/** The megabytes of its heap. */
export const heapOf = (flags: string[]): number => Number(/=(\d+)$/.exec(flags.find((flag) => flag.startsWith('-XX:MaxHeapSize=')) ?? '')?.[1]) / MiB
