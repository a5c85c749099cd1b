/** What MariaDB's server runs with: what was promised, and what follows from its limits. */
import type { Durability } from '../../scenario/scenario.ts'
import { settingsOf } from '../configuration.ts'
import type { Limits } from '../engine.ts'

const MiB = 2 ** 20

/** Of the promise: what is asked of every server, whatever its limits. */
export function promisedSettings(durability: Durability): Record<string, string> {
  return {
    ...settingsOf('mariadb', durability),
    transaction_isolation: 'READ-COMMITTED',
    // Words of every length are found, and none is left out because it is frequent.
    innodb_ft_min_token_size: '1',
    innodb_ft_enable_stopword: 'OFF',
  }
}

export function serverSettings({ memoryBytes }: Limits, durability: Durability): Record<string, string> {
  return {
    ...promisedSettings(durability),
    character_set_server: 'utf8mb4',
    collation_server: 'utf8mb4_nopad_bin',
    // A replica follows a binary log, and production has one.
    log_bin: 'ON',
    binlog_format: 'ROW',
    binlog_expire_logs_seconds: '3600',
    innodb_buffer_pool_size: String(bufferPoolBytes(memoryBytes)),
    innodb_log_file_size: String(1024 * MiB),
    innodb_flush_method: 'O_DIRECT',
    innodb_io_capacity: '1000',
    max_connections: '1000',
    max_prepared_stmt_count: '1000000',
    max_allowed_packet: String(64 * MiB),
    skip_name_resolve: 'ON',
  }
}

/** Six tenths of the memory, in whole steps that the server divides it by. */
function bufferPoolBytes(memoryBytes: number): number {
  const step = 64 * MiB
  return Math.max(1, Math.floor((memoryBytes * 0.6) / step)) * step
}
