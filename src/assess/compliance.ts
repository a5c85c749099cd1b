/** What a compliance regime asks of a store by rule, and whether something meets it: no audit, only what must be there for one to pass. */
import type { Control, EngineTraits } from '../engines/engine.ts'
import type { Regime } from '../scenario/scenario.ts'

const all: Control[] = ['transport encryption', 'access control', 'audit trail', 'encryption at rest']

const rules: Record<Regime, { controls: Control[]; source: string }> = {
  gdpr: { controls: ['transport encryption', 'access control', 'encryption at rest'], source: 'GDPR, article 32' },
  hipaa: { controls: all, source: '45 CFR 164.312' },
  pci_dss: { controls: all, source: 'PCI DSS 4.0, requirements 3, 4, 7, 8 and 10' },
  soc2: { controls: all, source: 'Trust Services Criteria CC6 and CC7' },
  sox: { controls: ['access control', 'audit trail'], source: 'Sarbanes-Oxley Act, section 404' },
}

/** By the name in a result, which may be of another version and know others. */
const asked = new Map(Object.entries(rules))

/** null where nothing is required, or the result does not tell what the product has. */
export function complianceOf(regimes: string[], controls: EngineTraits['controls'] | undefined): { holds: boolean; evidence: string } | null {
  if (regimes.length === 0 || controls === undefined) return null
  const [judged, others] = [regimes.filter((name) => asked.has(nameOf(name))), regimes.filter((name) => !asked.has(nameOf(name)))]
  const wanted = all.filter((control) => judged.some((name) => asked.get(nameOf(name))?.controls.includes(control)))
  const lacking = wanted.filter((control) => controls[control].by === 'nothing')
  const said = (by: 'beside' | 'other edition') =>
    wanted.filter((control) => controls[control].by === by).map((control) => `${control} by ${controls[control].value}`)
  const [beside, elsewhere] = [said('beside'), said('other edition')]
  const sources = judged.map((name) => `${name} (${asked.get(nameOf(name))?.source})`).join(', ')
  const evidence = [
    ...(lacking.length > 0
      ? [`has no ${lacking.join(', no ')}, which ${sources} asks for`]
      : judged.length > 0
        ? [`has what ${sources} asks for`]
        : []),
    ...(beside.length > 0 ? [`beside it ${beside.join(', ')}`] : []),
    ...(elsewhere.length > 0 ? [`only in an edition that was not measured, nor priced: ${elsewhere.join(', ')}`] : []),
    ...(others.length > 0 ? [`${others.join(', ')}: no rule here, not judged`] : []),
  ]
  return { holds: lacking.length === 0, evidence: evidence.join('; ') }
}

const nameOf = (regime: string) => regime.toLowerCase().replaceAll(/[\s-]+/g, '_')
