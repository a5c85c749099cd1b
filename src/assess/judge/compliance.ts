/** Whether something meets what compliance regimes ask of a store: by what was measured, where that can be measured, else by what is known of the product. */
import type { EngineTraits, Parity } from '../../engines/engine.ts'
import { type Control, controls, measuredControls, ruleOf } from '../../scenario/regimes.ts'

/** null where nothing is required, or the result does not tell what the product has. `parity`: what the server that was measured said of itself. */
export function complianceOf(
  regimes: string[],
  facts: EngineTraits['controls'] | undefined,
  parity: Parity[] = [],
): { holds: boolean; evidence: string } | null {
  if (regimes.length === 0 || facts === undefined) return null
  const [judged, others] = [regimes.filter((name) => ruleOf(name) !== undefined), regimes.filter((name) => ruleOf(name) === undefined)]
  const wanted = controls.filter((control) => judged.some((name) => ruleOf(name)?.controls.includes(control)))
  const rowOf = (control: Control) => (measuredControls.includes(control) ? parity.find((row) => row.what === control) : undefined)
  const measured = wanted.flatMap((control) => rowOf(control) ?? [])
  const unmeasured = wanted.filter((control) => measuredControls.includes(control) && rowOf(control) === undefined)
  const lacking = wanted.filter((control) => (rowOf(control) === undefined ? facts[control].by === 'nothing' : rowOf(control)?.ok === false))
  const said = (by: 'beside' | 'other edition') =>
    wanted.filter((control) => facts[control].by === by).map((control) => `${control} by ${facts[control].value}`)
  const [beside, elsewhere] = [said('beside'), said('other edition')]
  const sources = judged.map((name) => `${name} (${ruleOf(name)?.source})`).join(', ')
  const evidence = [
    ...(lacking.length > 0
      ? [`has no ${lacking.join(', no ')}, which ${sources} asks for`]
      : judged.length > 0
        ? [`has what ${sources} asks for`]
        : []),
    ...measured.map((row) => `${row.what} was measured: ${row.effective}`),
    ...(unmeasured.length > 0 ? [`${unmeasured.join(' and ')} only by its documentation: not on in what was measured`] : []),
    ...(beside.length > 0 ? [`beside it ${beside.join(', ')}`] : []),
    ...(elsewhere.length > 0 ? [`only in an edition that was not measured, nor priced: ${elsewhere.join(', ')}`] : []),
    ...(others.length > 0 ? [`${others.join(', ')}: no rule here, not judged`] : []),
  ]
  return { holds: lacking.length === 0, evidence: evidence.join('; ') }
}
