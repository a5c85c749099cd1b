/** Section 6: what a cache in front would take, and what it would cost. */
import { compositeBlocks } from '../composites.ts'
import type { Block } from '../render/document.ts'
import type { Told } from '../told.ts'

export const cachingSection = ({ decision }: Told): Block[] => (decision === null ? [] : compositeBlocks(decision, 'cache in front'))
