/** Servers for tests of answers, which live for a minute or two: what pays off later, or after a crash, is left out. */
import type { Engine } from '../../src/engines/engine.ts'

/**
 * Java compiles once instead of twice, and definitions of tables are not synced to the disk one by one: less than half of the processor time.
 * Who does not run on Java does not see it. How servers are started in a run is tested by the contract suite and from end to end.
 */
const javaOptions = '-XX:TieredStopAtLevel=1 -Dcassandra.test.flush_local_schema_changes=false'

export function shortLived(engine: Engine): Engine {
  const { server } = engine
  const start: typeof server.start = (context) => {
    const command = server.start(context)
    return { ...command, environment: { ...command.environment, JDK_JAVA_OPTIONS: javaOptions } }
  }
  return { ...engine, server: { ...server, start } }
}
