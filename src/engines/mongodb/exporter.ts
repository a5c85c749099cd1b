/** The names of Percona's mongodb_exporter: paths of serverStatus (ss) and replSetGetStatus (rs). */
import type { Exporter } from '../handbook.ts'

const oplogOf = (state: string, by: string) => `max by (${by}) (mongodb_rs_members_optimeDate{member_state="${state}"})`
const connections = (kind: string) => `mongodb_ss_connections{conn_type="${kind}"}`

export const exporter: Exporter = {
  name: 'mongodb_exporter (github.com/percona/mongodb_exporter), with --collector.diagnosticdata and --collector.replicasetstatus',
  // Every member tells of all; optimeDate is in milliseconds; rs_nm is the replica set.
  lagSeconds: `(${oplogOf('PRIMARY', 'rs_nm')} - on (rs_nm) group_right () ${oplogOf('SECONDARY', 'rs_nm, member_idx')}) / 1000`,
  connectionShare: `sum by (instance) (${connections('current')}) / sum by (instance) (mongodb_ss_connections{conn_type=~"current|available"})`,
  rules: [
    { alert: 'mongodb_down', expr: 'mongodb_up == 0', for: '1m', severity: 'act', summary: '{{ $labels.instance }} does not answer' },
    {
      alert: 'mongodb_member_down',
      expr: 'mongodb_rs_members_health == 0',
      for: '1m',
      severity: 'act',
      summary: 'a member of {{ $labels.rs_nm }} is not reached',
    },
    {
      alert: 'mongodb_cache_dirty',
      expr: 'mongodb_ss_wt_cache_tracked_dirty_bytes_in_the_cache / mongodb_ss_wt_cache_maximum_bytes_configured > 0.1',
      for: '5m',
      severity: 'warn',
      summary: 'more than 10 % of the cache of {{ $labels.instance }} waits to be written: from 20 % on callers write it themselves',
    },
    {
      alert: 'mongodb_operations_queued',
      expr: 'mongodb_ss_globalLock_currentQueue{count_type="total"} > 0',
      for: '1m',
      severity: 'warn',
      summary: 'operations of {{ $labels.instance }} have been queued for a minute',
    },
  ],
}
