/** The engines that keep the contract: those that scenarios can name, with a pooler in front or without, and one that only tests know. */
import type { Engine } from '../../src/engines/engine.ts'
import { engines, pooledEngines } from '../../src/engines/registry.ts'
import { toy } from '../toy/index.ts'

export const contracted: Engine[] = [...engines, toy]
export const contractedWithPoolers: Engine[] = [...contracted, ...pooledEngines]
