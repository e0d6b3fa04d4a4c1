/** When tests want code compiled: as soon as it is seen twice. */
import type { Thresholds } from '../engine/cpu/translator/translator.ts'

export const EAGER: Thresholds = { hot: 1, called: 1, batch: 1, patience: 1, modules: 1000 }
