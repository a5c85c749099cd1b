/** The names of mysqld_exporter: what SHOW GLOBAL STATUS, SHOW VARIABLES and SHOW SLAVE STATUS say. */
import type { Exporter } from '../handbook.ts'

export const exporter: Exporter = {
  name: 'mysqld_exporter (github.com/prometheus/mysqld_exporter)',
  lagSeconds: 'mysql_slave_status_seconds_behind_master',
  connectionShare: 'mysql_global_status_threads_connected / mysql_global_variables_max_connections',
  deadlocksAnHour: 'increase(mysql_global_status_innodb_deadlocks[1h])',
  rules: [
    { alert: 'mariadb_down', expr: 'mysql_up == 0', for: '1m', severity: 'act', summary: '{{ $labels.instance }} does not answer' },
    {
      alert: 'mariadb_replication_stopped',
      expr: 'mysql_slave_status_slave_sql_running == 0 or mysql_slave_status_slave_io_running == 0',
      for: '1m',
      severity: 'act',
      summary: 'the copy {{ $labels.instance }} no longer follows',
    },
    {
      alert: 'mariadb_history_list',
      expr: 'mysql_global_status_innodb_history_list_length > 1e6',
      for: '15m',
      severity: 'warn',
      summary: 'purge of {{ $labels.instance }} is a million versions of rows behind: some transaction is open for long',
    },
    {
      alert: 'mariadb_log_waits',
      expr: 'increase(mysql_global_status_innodb_log_waits[15m]) > 0',
      for: '15m',
      severity: 'warn',
      summary: 'writes of {{ $labels.instance }} wait for the log buffer',
    },
  ],
}
