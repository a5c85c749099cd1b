/** The names of postgres_exporter: of its collectors, and of the queries that it begins with. */
import type { Exporter } from '../handbook.ts'

export const exporter: Exporter = {
  name: 'postgres_exporter (github.com/prometheus-community/postgres_exporter), with --collector.database_wraparound and --collector.stat_checkpointer',
  lagSeconds: 'pg_replication_lag_seconds and pg_replication_is_replica == 1',
  connectionShare: 'sum by (instance) (pg_stat_activity_count) / on (instance) max by (instance) (pg_settings_max_connections)',
  deadlocksAnHour: 'sum by (instance) (increase(pg_stat_database_deadlocks[1h]))',
  rules: [
    { alert: 'postgres_down', expr: 'pg_up == 0', for: '1m', severity: 'act', summary: '{{ $labels.instance }} does not answer' },
    {
      alert: 'postgres_old_transaction',
      expr: 'max by (instance) (pg_stat_activity_max_tx_duration) > 600',
      for: '1m',
      severity: 'warn',
      summary: 'a transaction on {{ $labels.instance }} is older than 10 minutes: nothing that it may still see is cleaned up',
    },
    {
      alert: 'postgres_transaction_ids',
      expr: 'max by (instance) (pg_database_wraparound_age_datfrozenxid_seconds) > 5e8',
      for: '1h',
      severity: 'warn',
      summary: 'transaction ids of {{ $labels.instance }} have been used for 500 million transactions: vacuum falls behind',
    },
    {
      alert: 'postgres_transaction_ids_run_out',
      expr: 'max by (instance) (pg_database_wraparound_age_datfrozenxid_seconds) > 1e9',
      for: '5m',
      severity: 'act',
      summary: 'transaction ids of {{ $labels.instance }} are half used up: writes stop when they are',
    },
    {
      alert: 'postgres_archiver_fails',
      expr: 'increase(pg_stat_archiver_failed_count[15m]) > 0',
      for: '5m',
      severity: 'act',
      summary: 'the log of {{ $labels.instance }} is not archived: nothing since then can be restored, and the disk fills',
    },
    {
      alert: 'postgres_checkpoints_requested',
      expr: 'rate(pg_stat_checkpointer_num_requested_total[1h]) > rate(pg_stat_checkpointer_num_timed_total[1h])',
      for: '1h',
      severity: 'warn',
      summary: 'max_wal_size of {{ $labels.instance }} is too small: more checkpoints are asked for than come by their time (version 17 and later)',
    },
  ],
}
