/** Section 8: how many copies, where, and what they may answer. */
import { compositeBlocks } from '../composites.ts'
import type { Block } from '../render/document.ts'
import type { Told } from '../told.ts'

export const replicationSection = ({ decision }: Told): Block[] => (decision === null ? [] : compositeBlocks(decision, 'read replicas'))
