/** A client that lies now and then is caught: on a real server, by the checks of a run. `make lies` does it a hundred times. */
import { afterAll, expect, test } from 'vitest'
import { engineNamed } from '../../src/engines/registry.ts'
import { TestBed } from '../differential/bed.ts'
import { caughtBy, named } from '../differential/caught.ts'
import { faults } from '../differential/faulty-lane.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

test.each(faults)('%s', async (fault) => {
  const { lies, findings } = await caughtBy(bed, engineNamed('redis'), fault, 7)
  expect(lies).toBeGreaterThan(0)
  expect(findings.join('\n')).toMatch(new RegExp(named[fault].source, 'm'))
}, 120_000)

test('who tells the truth is not called a liar', async () => {
  expect(await caughtBy(bed, engineNamed('redis'), null, 7)).toEqual({ lies: 0, findings: [] })
}, 120_000)
