/** The names of memcached_exporter: fields of `stats`. */
import type { Exporter } from '../handbook.ts'

export const exporter: Exporter = {
  name: 'memcached_exporter (github.com/prometheus/memcached_exporter)',
  connectionShare: 'memcached_current_connections / memcached_max_connections',
  rules: [
    { alert: 'memcached_down', expr: 'memcached_up == 0', for: '1m', severity: 'act', summary: '{{ $labels.instance }} does not answer' },
    {
      alert: 'memcached_memory',
      expr: 'memcached_current_bytes / memcached_limit_bytes > 0.8',
      for: '5m',
      severity: 'warn',
      summary: '{{ $labels.instance }} has used 80 % of its memory',
    },
    {
      alert: 'memcached_evictions',
      expr: 'increase(memcached_items_evicted_total[5m]) > 0',
      for: '0m',
      severity: 'act',
      summary: '{{ $labels.instance }} throws items away that have not expired',
    },
    {
      alert: 'memcached_began_anew',
      expr: 'memcached_uptime_seconds < 600',
      for: '0m',
      severity: 'warn',
      summary: '{{ $labels.instance }} began anew, with nothing in it',
    },
  ],
}
