/** The names that jmx_exporter's own example for Cassandra makes of its figures. */
import type { Exporter } from '../handbook.ts'

export const exporter: Exporter = {
  name: 'jmx_exporter 1 as a Java agent (github.com/prometheus/jmx_exporter), with its examples/cassandra.yml',
  rules: [
    {
      alert: 'cassandra_compactions_pending',
      expr: 'cassandra_compaction_pendingtasks > 20',
      for: '15m',
      severity: 'warn',
      summary: 'compaction of {{ $labels.instance }} falls behind: reads look at more and more files',
    },
    {
      alert: 'cassandra_mutations_dropped',
      expr: 'increase(cassandra_droppedmessage_dropped_count{droppedmessage="MUTATION"}[5m]) > 0',
      for: '0m',
      severity: 'act',
      summary: '{{ $labels.instance }} threw writes away that it had no time for: a repair brings them back',
    },
    {
      alert: 'cassandra_heap',
      expr: 'sum by (instance) (jvm_memory_pool_collection_used_bytes{pool=~".*Old Gen"}) / on (instance) max by (instance) (jvm_memory_max_bytes{area="heap"}) > 0.75',
      for: '5m',
      severity: 'act',
      summary: '75 % of the heap of {{ $labels.instance }} is in use after its last collection',
    },
    {
      alert: 'cassandra_exceptions',
      expr: 'increase(cassandra_storage_exceptions_count[15m]) > 0',
      for: '0m',
      severity: 'warn',
      summary: '{{ $labels.instance }} met an error that it did not expect: its log says which',
    },
    {
      alert: 'cassandra_disk',
      expr: '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"} > 0.5',
      for: '15m',
      severity: 'warn',
      summary: 'the disk of {{ $labels.instance }} is half full: a compaction may need as much again (node_exporter)',
    },
  ],
}
