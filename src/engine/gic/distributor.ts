/** The distributor's registers, as a guest and as userspace has them (arch/arm64/kvm/vgic/vgic-mmio-v3.c). */
import { GICD_CTLR, GICD_IIDR, GICD_TYPER, gicdFrame } from '../../pure/arch/gic/gicd.ts'
import type { GicdName } from '../../pure/arch/gic/gicd.ts'
import { PIDR2_GICV3 } from '../../pure/arch/gic/identification.ts'
import { IIDR_VALUES } from '../../pure/arch/gic/iidr.ts'
import { decodeField, encodeRegister } from '../../pure/arch/register.ts'
import { decideIidr } from '../../pure/rules/identity-writes.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import { banks } from './banks.ts'
import type { CpuLookup } from './lookup.ts'
import { LPI_ID_BITS } from './lpis.ts'
import type { Lpis } from './lpis.ts'
import { DONE, RegisterFrame } from './register-frame.ts'
import type { Access, Handler, Written } from './register-frame.ts'
import type { Routing } from './routing.ts'
import type { InterruptState } from './state.ts'

const SOURCE = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_mmio_uaccess_write_v3_misc()'
/** GICD_TYPER.IDbits without an ITS: INTERRUPT_ID_BITS_SPIS - 1. */
const SPI_ID_BITS = 10

/** What GICD_IIDR depends on. */
export interface GicIdentity {
  readonly rules: VgicRules
  readonly vm: VmFacts
  readonly lookup: CpuLookup
}

export interface GicParts extends GicIdentity {
  readonly state: InterruptState
  readonly routing: Routing
  readonly lpis: Lpis
}

/** A guest polls it after each write that takes its time (GICD_CTLR.RWP). */
const CTLR = {
  disabled: encodeRegister(GICD_CTLR, { ARE: 1n, DS: 1n }),
  enabled: encodeRegister(GICD_CTLR, { EnableGrp1: true, ARE: 1n, DS: 1n }),
}

export const readGicdCtlr = ({ state }: GicParts): bigint => (state.enabled ? CTLR.enabled : CTLR.disabled)

export const readGicdTyper = ({ rules, vm, state }: GicParts): bigint =>
  encodeRegister(GICD_TYPER, {
    ITLinesNumber: state.nrIrqs / 32 - 1,
    LPIS: vm.hasIts,
    IDbits: (vm.hasIts ? LPI_ID_BITS : SPI_ID_BITS) - 1,
    A3V: rules.distributorTyperA3v.decide({ vm }),
  })

export const readGicdIidr = ({ vm }: GicIdentity): bigint =>
  encodeRegister(GICD_IIDR, { ...IIDR_VALUES, Revision: vm.revision })

export const writeGicdIidr = ({ rules, vm, lookup }: GicIdentity, value: bigint): Written => {
  const answer = decideIidr({ rules, vm, aff3InUse: lookup.aff3InUse }, value)
  if (!answer.ok) return answer
  vm.revision = answer.revision
  return answer.note === undefined ? DONE : { ok: true, note: answer.note }
}

const half = ({ offset }: Access): 'low' | 'high' => (offset % 8 === 4 ? 'high' : 'low')
const width = (access: Access): 4 | 8 => (access.width === 8 ? 8 : 4)

export const distributorFrame = (parts: GicParts): RegisterFrame<GicdName> => {
  const { state, routing } = parts
  const spi = (_: number, intid: number) => state.spi(intid)
  const bank = banks(state, spi)
  const handlers: Partial<Record<GicdName, Handler>> = {
    GICD_CTLR: {
      read: () => readGicdCtlr(parts),
      write: (_, value) => state.setForwarding(decodeField(GICD_CTLR, 'EnableGrp1', value) === 1n),
    },
    GICD_TYPER: { read: () => readGicdTyper(parts) },
    GICD_IIDR: {
      read: () => readGicdIidr(parts),
      userWrite: (_, value) => {
        const answer = writeGicdIidr(parts, value)
        if (answer.ok) routing.retarget()
        return answer
      },
    },
    GICD_TYPER2: {
      userWrite: (_, value) =>
        value === 0n ? DONE : refuse('EINVAL', `GICD_TYPER2 is 0, not 0x${value.toString(16)}.`, SOURCE),
    },
    // vgic_mmio_read_rao().
    GICD_STATUSR: { read: () => 0xffff_ffffn },
    GICD_IGROUPR: bank.group,
    GICD_ISENABLER: bank.setEnable,
    GICD_ICENABLER: bank.clearEnable,
    GICD_ISPENDR: bank.setPending,
    GICD_ICPENDR: bank.clearPending,
    GICD_ISACTIVER: bank.setActive,
    GICD_ICACTIVER: bank.clearActive,
    GICD_IPRIORITYR: bank.priority,
    GICD_ICFGR: bank.config,
    GICD_IROUTER: {
      read: (access) => {
        const irq = state.spi(access.intid)
        return irq === undefined ? 0n : routing.read(irq, width(access), half(access))
      },
      write: (access, value) => {
        const irq = state.spi(access.intid)
        return irq && routing.write(irq, value, width(access), half(access))
      },
    },
    GICD_PIDR2: { read: () => PIDR2_GICV3 },
  }
  return new RegisterFrame(gicdFrame, handlers, state.nrIrqs)
}
