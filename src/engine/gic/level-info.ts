/** KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO: the wires of 32 interrupts at once (arch/arm64/kvm/vgic/vgic.c). */
import type { VgicIrq } from './irq.ts'
import type { InterruptState } from './state.ts'
import { SGI_COUNT } from '../../pure/arch/intid.ts'

export interface LevelInfo {
  /** `intid` is a multiple of 32. What is not level-sensitive reads as 0. */
  read(cpu: number, intid: number): number
  write(cpu: number, intid: number, levels: number): void
}

const WORD_BITS = 32

export const levelInfo = (state: InterruptState): LevelInfo => {
  const irqAt = (cpu: number, intid: number): VgicIrq | undefined =>
    intid < SGI_COUNT ? undefined : state.irq(cpu, intid)
  return {
    read(cpu, intid) {
      let levels = 0
      for (let i = 0; i < WORD_BITS; i++) {
        const irq = irqAt(cpu, intid + i)
        if (irq !== undefined && irq.line && !irq.edge) levels |= 1 << i
      }
      return levels >>> 0
    },
    write(cpu, intid, levels) {
      for (let i = 0; i < WORD_BITS; i++) {
        const irq = irqAt(cpu, intid + i)
        if (irq !== undefined) state.restoreLine(irq, ((levels >>> i) & 1) === 1)
      }
    },
  }
}
