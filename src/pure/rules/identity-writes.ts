/**
 * What userspace's writes to GICD_IIDR and ICC_CTLR_EL1 do to what a VM shows of Aff3, decided for the engine as for the
 * forecast of a plan.
 */
import { GICD_IIDR } from '../arch/gic/gicd.ts'
import { IIDR_VALUES } from '../arch/gic/iidr.ts'
import { decodeField, encodeRegister } from '../arch/register.ts'
import { decodeIccControl, idBitsField } from '../arch/sysregs/gic-cpu.ts'
import type { HostProfile } from '../blueprint/host.ts'
import { refuse } from './points.ts'
import type { Refusal, VgicRules, VmFacts } from './points.ts'

const MISC = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_mmio_uaccess_write_v3_misc()'
const CTLR = 'arch/arm64/kvm/vgic-sys-reg-v3.c: set_gic_ctlr()'

interface Asked {
  readonly rules: VgicRules
  readonly vm: Readonly<VmFacts>
  /** Whether some vCPU has an Aff3 that is not 0. */
  readonly aff3InUse: boolean
}

/** GICD_IIDR: all but Revision has to be as it is. */
export const decideIidr = (
  { rules, vm, aff3InUse }: Asked,
  value: bigint,
): ReturnType<VgicRules['iidrWrite']['decide']> => {
  const revision = Number(decodeField(GICD_IIDR, 'Revision', value))
  if (value !== encodeRegister(GICD_IIDR, { ...IIDR_VALUES, Revision: revision }))
    return refuse('EINVAL', `GICD_IIDR 0x${value.toString(16)} differs in more than Revision.`, MISC)
  return rules.iidrWrite.decide({ vm, revision, aff3InUse })
}

/** What userspace has lowered ICC_CTLR_EL1.PRIbits and IDbits of a CPU to; the guest still sees the hardware's. */
export interface LoweredBits {
  readonly priBits: number
  readonly idBits: number
}

/** The hardware's. */
export const hostBits = ({ priBits, idBits }: HostProfile): LoweredBits => ({ priBits, idBits: idBitsField(idBits) })

interface ControlDecided {
  /** Of that CPU; a refusal may have lowered some of them. */
  readonly bits: LoweredBits
  readonly answer: Refusal | { readonly ok: true; readonly guestA3v: boolean; readonly pinned: boolean }
}

/** ICC_CTLR_EL1 of one CPU. */
export const decideIccControl = (
  { rules, vm, aff3InUse }: Asked,
  before: LoweredBits,
  value: bigint,
): ControlDecided => {
  const wanted = decodeIccControl(value)
  const { seis } = vm.host
  let bits = before
  const refused = (why: string): ControlDecided => ({
    bits: rules.iccCtlrSetAtomic.decide() ? before : bits,
    answer: refuse('EINVAL', why, CTLR),
  })
  if (wanted.priBits > before.priBits)
    return refused(`ICC_CTLR_EL1 asks for ${wanted.priBits} priority bits; there are ${before.priBits}.`)
  bits = { ...bits, priBits: wanted.priBits }
  if (wanted.idBits > before.idBits)
    return refused(`ICC_CTLR_EL1.IDbits = ${wanted.idBits}; there is ${before.idBits}.`)
  bits = { ...bits, idBits: wanted.idBits }
  if (wanted.seis !== seis) return refused(`ICC_CTLR_EL1.SEIS = ${Number(wanted.seis)}; the host's is ${Number(seis)}.`)
  const answer = rules.iccCtlrSetA3v.decide({ vm, value: wanted.a3v, aff3InUse })
  return { bits: answer.ok || !rules.iccCtlrSetAtomic.decide() ? bits : before, answer }
}
