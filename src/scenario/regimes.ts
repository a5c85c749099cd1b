/** What a compliance regime asks of a store by rule: no audit, only what must be there for one to pass. */
import type { Regime } from './scenario.ts'

export type Control = 'transport encryption' | 'access control' | 'audit trail' | 'encryption at rest'
export const controls: Control[] = ['transport encryption', 'access control', 'audit trail', 'encryption at rest']
/** Those that change what each operation costs: they are on in what is measured. */
export const measuredControls: Control[] = ['transport encryption', 'access control']

const rules: Record<Regime, { controls: Control[]; source: string }> = {
  gdpr: { controls: ['transport encryption', 'access control', 'encryption at rest'], source: 'GDPR, article 32' },
  hipaa: { controls, source: '45 CFR 164.312' },
  pci_dss: { controls, source: 'PCI DSS 4.0, requirements 3, 4, 7, 8 and 10' },
  soc2: { controls, source: 'Trust Services Criteria CC6 and CC7' },
  sox: { controls: ['access control', 'audit trail'], source: 'Sarbanes-Oxley Act, section 404' },
}

/** By the name in a result, which may be of another version and know others. */
const byName = new Map(Object.entries(rules))

/** undefined: there is no rule for a regime of that name. */
export const ruleOf = (regime: string) => byName.get(regime.toLowerCase().replaceAll(/[\s-]+/g, '_'))

/** Whether one of them asks for what is on in a measurement with `bench.security`; the two come together: a password over a plain connection controls nothing. */
export const asksForSecurity = (regimes: string[]) => regimes.some((name) => ruleOf(name)?.controls.some((each) => measuredControls.includes(each)))
