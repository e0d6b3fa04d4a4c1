/** What a hypervisor's registers say of a vCPU, for whoever wants to see it (arch/arm64/kvm/vgic/vgic-v3.c). */
import {
  ICH_APR_EL2,
  ICH_ELRSR_EL2,
  ICH_HCR,
  ICH_HCR_EL2,
  ICH_LR,
  ICH_LR_EL2,
  ICH_VMCR,
  ICH_VMCR_EL2,
  LR_EOI,
  LR_SOURCE_LSB,
  LR_STATE,
} from '../../pure/arch/gic/ich.ts'
import { PPI, SGI_COUNT } from '../../pure/arch/intid.ts'
import { encodeRegister } from '../../pure/arch/register.ts'
import type { ApList } from './ap-list.ts'
import type { InterfaceState } from './cpu-interface.ts'
import { isPending } from './irq.ts'
import type { VgicIrq } from './irq.ts'

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** A virtual timer that KVM has claimed is the host's: kvm_vgic_map_phys_irq(). The physical one is emulated. */
export const isMapped = ({ claimed, intid }: Readonly<VgicIrq>): boolean => claimed && intid === PPI.virtualTimer

/** ICH_LR<n>_EL2 as vgic_v3_populate_lr() makes it. */
export const listRegister = (irq: Readonly<VgicIrq>): bigint => {
  const { intid, active, source, edge, priority, group } = irq
  const hw = isMapped(irq)
  const manySources = source !== 0 && (active || (source & (source - 1)) !== 0)
  // Pending and active at once is for edges, and not for an SGI that has more sources.
  const mayPend = !active || (edge && !hw && !manySources)
  const pending = mayPend && isPending(irq)
  const from = active ? irq.activeSource : source === 0 ? 0 : lowestBit(source)
  const sgi = intid < SGI_COUNT
  return encodeRegister(ICH_LR, {
    vINTID: sgi ? intid | (from << LR_SOURCE_LSB) : intid,
    pINTID: hw ? intid : !edge || manySources ? LR_EOI.pINTID : 0,
    // Eight bits in a record, five in the register: KVM keeps no more.
    Priority: priority,
    Group: group,
    HW: hw,
    State: (pending ? LR_STATE.pending : 0) | (active ? LR_STATE.active : 0),
  })
}

/** Of all list registers of the host; 0 for an empty one. */
export const listRegisters = ({ listRegisters: all }: ApList): bigint[] =>
  all.map((irq) => (irq === undefined ? 0n : listRegister(irq)))

export const virtualMachineControl = (at: Readonly<InterfaceState>): number =>
  Number(
    encodeRegister(ICH_VMCR, {
      VENG0: at.groupEnabled[0],
      VENG1: at.groupEnabled[1],
      VAckCtl: at.ackCtl,
      VFIQEn: at.fiqEn,
      VCBPR: at.cbpr,
      VEOIM: at.eoiMode,
      VBPR1: at.bpr1,
      VBPR0: at.bpr0,
      VPMR: at.pmr,
    }),
  )

export const hypControl = (
  { underflow }: ApList,
  { eoiCount }: Readonly<InterfaceState>,
  trapsCommon: boolean,
): number => Number(encodeRegister(ICH_HCR, { En: true, UIE: underflow, TC: trapsCommon, EOIcount: eoiCount }))

export interface HypervisorView {
  readonly list: ApList
  readonly at: Readonly<InterfaceState>
  /** Of ICH_AP<g>R<n>_EL2. */
  readonly activeWords: number
  /** ICH_HCR_EL2.TC. */
  readonly trapsCommon: boolean
}

/** ICH_*_EL2 of a vCPU by its encoding, as EL2 would read it with the vCPU loaded; `undefined`: there is no such one. */
export const hypervisorRegister = (encoding: number, o: HypervisorView): bigint | undefined => {
  const { list, at, activeWords } = o
  const registers = listRegisters(list)
  switch (encoding) {
    case ICH_HCR_EL2:
      return BigInt(hypControl(list, at, o.trapsCommon))
    case ICH_VMCR_EL2:
      return BigInt(virtualMachineControl(at))
    case ICH_ELRSR_EL2:
      return registers.reduce((all, value, n) => (value === 0n ? all | (1n << BigInt(n)) : all), 0n)
    default: {
      const words = Array.from({ length: activeWords }, (_, n) => n)
      for (const group of [0, 1] as const) {
        const word = words.find((n) => encoding === ICH_APR_EL2(group, n))
        if (word !== undefined) return BigInt(at.active[group][word] ?? 0)
      }
      return registers.find((_, n) => encoding === ICH_LR_EL2(n))
    }
  }
}
