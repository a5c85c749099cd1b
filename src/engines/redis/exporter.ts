/** The names of redis_exporter: fields of INFO. It reads Valkey, too. */
import type { Exporter } from '../handbook.ts'

export const exporter: Exporter = {
  name: 'redis_exporter (github.com/oliver006/redis_exporter)',
  lagSeconds: 'redis_connected_slave_lag_seconds',
  connectionShare: 'redis_connected_clients / redis_config_maxclients',
  rules: [
    { alert: 'redis_down', expr: 'redis_up == 0', for: '1m', severity: 'act', summary: '{{ $labels.instance }} does not answer' },
    {
      alert: 'redis_memory',
      expr: 'redis_memory_used_bytes / redis_memory_max_bytes > 0.75 and redis_memory_max_bytes > 0',
      for: '5m',
      severity: 'warn',
      summary: '{{ $labels.instance }} has used 75 % of maxmemory: at all of it writes are refused, or rows are thrown away',
    },
    {
      alert: 'redis_connections_rejected',
      expr: 'increase(redis_rejected_connections_total[5m]) > 0',
      for: '0m',
      severity: 'act',
      summary: '{{ $labels.instance }} turns callers away: maxclients is reached',
    },
    {
      alert: 'redis_log_not_written',
      expr: 'redis_aof_last_write_status == 0',
      for: '0m',
      severity: 'act',
      summary: 'the log of {{ $labels.instance }} could not be written: writes are refused',
    },
    {
      alert: 'redis_copy_without_master',
      expr: 'redis_master_link_up == 0',
      for: '1m',
      severity: 'act',
      summary: 'the copy {{ $labels.instance }} does not reach its master',
    },
  ],
}
