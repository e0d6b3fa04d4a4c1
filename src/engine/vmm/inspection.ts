/** What a person sees of a machine as a whole: its CPUs, its GIC, figures of its run. */
import type { CpuGicInspection, FrameInspection, SpiInspection } from '../gic/inspect.ts'
import type { LpiInspection } from '../gic/its/inspect.ts'
import type { PlacedIts } from '../kvm/vm-devices.ts'

export interface CpuInspection extends CpuGicInspection {
  readonly index: number
  readonly mpidr: bigint
  readonly state: 'off' | 'waiting' | 'running'
  readonly instructions: number
  readonly pc: bigint
  readonly el: 0 | 1
  readonly frozen: boolean
}

export interface MachineInspection {
  readonly virtualNs: number
  readonly cpus: readonly CpuInspection[]
  readonly frames: readonly FrameInspection[]
  readonly spis: readonly SpiInspection[]
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly its: readonly PlacedIts[]
  readonly lpis: readonly LpiInspection[]
}

export interface VmmStats {
  readonly instructions: number
  readonly virtualNs: number
  readonly mmioExits: number
  readonly exceptions: number
  readonly interrupts: number
  readonly pageWalks: number
  readonly decodedInstructions: number
  readonly translatedRegions: number
  readonly translatedInstructions: number
  readonly droppedRegions: number
  /** Modules made so far, and how many of them have not been evicted; their bytes of WebAssembly. */
  readonly modules: number
  readonly liveModules: number
  readonly moduleBytes: number
  /** How often every region was forgotten, because too many modules lived. */
  readonly evictions: number
  /** Flushes of the whole soft TLB, or of all of an address space's. */
  readonly tlbFlushes: number
  /** Words that are no instruction of this CPU, and how often each was met. */
  readonly undefinedWords: readonly (readonly [word: number, count: number])[]
}

/** Of a CPU before there is a GIC. */
export const NO_GIC: CpuGicInspection = {
  priorityMask: 0,
  igrpen1: false,
  pending: [],
  active: [],
  enabled: [],
  private: [],
  apList: [],
  listRegisters: [],
  vmcr: 0,
  hcr: 0,
}
