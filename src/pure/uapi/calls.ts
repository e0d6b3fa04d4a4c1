/** The KVM calls a VMM makes, as data (Documentation/virt/kvm/api.rst). File descriptors are implied. */
import { affinityText } from '../arch/affinity.ts'
import { capabilityName } from './capabilities.ts'
import type { Errno } from './errno.ts'
import { IRQFD } from './irqfd.ts'
import type { GsiRoute } from './irqfd.ts'
import { oneRegName } from './one-reg.ts'
import { PMU_V3, VCPU_GROUP, isVcpuValueless, vcpuGroupName } from './vcpu-attr.ts'
import {
  DEVICE_TYPE,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
  decodeRedistRegion,
  registerAttrFields,
  v2RegisterAttrFields,
  vgicGroupName,
} from './vgic-attr.ts'

/** KVM_ARM_VCPU_* by name, each at the place of its bit (arch/arm64/include/uapi/asm/kvm.h). */
export const VCPU_FEATURES = [
  'POWER_OFF',
  'EL1_32BIT',
  'PSCI_0_2',
  'PMU_V3',
  'SVE',
  'PTRAUTH_ADDRESS',
  'PTRAUTH_GENERIC',
  'HAS_EL2',
] as const
export type VcpuFeature = (typeof VCPU_FEATURES)[number]

export interface DeviceAttr {
  readonly group: number
  readonly attr: bigint
  /** Of which ITS, in the order of their creation; without it and `vcpu`, of the GIC. */
  readonly its?: number
  /** Of which vCPU, in the order of their creation. */
  readonly vcpu?: number
}

/** `badPointer`: the address the VMM gives for the value is not one of its own. */
export interface ThroughPointer {
  readonly badPointer?: true
}

/** struct kvm_msi.flags: the message says which device it is from. */
export const KVM_MSI_VALID_DEVID = 1

/** `vcpu` is the order of creation, from 0; a vCPU's `id` is what it was created with. */
export type KvmCall =
  /** `type`: the size of the guest's physical address space in bits; 0 stands for 40. */
  | { readonly call: 'KVM_CREATE_VM'; readonly type?: number }
  /** The answer's value is what the call returns; 0 stands for "no". */
  | { readonly call: 'KVM_CHECK_EXTENSION'; readonly capability: number }
  | { readonly call: 'KVM_CREATE_VCPU'; readonly id: number }
  | { readonly call: 'KVM_ARM_VCPU_INIT'; readonly vcpu: number; readonly features: readonly VcpuFeature[] }
  | ({ readonly call: 'KVM_GET_ONE_REG'; readonly vcpu: number; readonly reg: bigint } & ThroughPointer)
  | ({
      readonly call: 'KVM_SET_ONE_REG'
      readonly vcpu: number
      readonly reg: bigint
      readonly value: bigint
    } & ThroughPointer)
  /** The ids of all registers of a vCPU, as the answer's list. `room`: how many the VMM has room for. */
  | { readonly call: 'KVM_GET_REG_LIST'; readonly vcpu: number; readonly room?: number }
  | { readonly call: 'KVM_GET_MP_STATE'; readonly vcpu: number }
  | { readonly call: 'KVM_SET_MP_STATE'; readonly vcpu: number; readonly state: bigint }
  /** The call of before there were devices: a GICv2. */
  | { readonly call: 'KVM_CREATE_IRQCHIP' }
  | { readonly call: 'KVM_CREATE_DEVICE'; readonly type: number; readonly test?: boolean }
  | ({ readonly call: 'KVM_HAS_DEVICE_ATTR' } & DeviceAttr)
  /** `value`: what the caller put into the answer's place beforehand (REDIST_REGION takes its index from there). */
  | ({ readonly call: 'KVM_GET_DEVICE_ATTR'; readonly value?: bigint } & DeviceAttr & ThroughPointer)
  | ({ readonly call: 'KVM_SET_DEVICE_ATTR'; readonly value: bigint } & DeviceAttr & ThroughPointer)
  /** `irq`: type 27:24 (1 SPI, 2 PPI), vCPU id 23:16 and 31:28, number 15:0. */
  | { readonly call: 'KVM_IRQ_LINE'; readonly irq: number; readonly level: boolean }
  /** `fd`: an eventfd, by a number of the VMM's choice; `flags`: IRQFD's. */
  | {
      readonly call: 'KVM_IRQFD'
      readonly fd: number
      readonly gsi: number
      readonly flags: number
      readonly resamplefd?: number
    }
  /** All routes anew. `flags`: none is known. */
  | { readonly call: 'KVM_SET_GSI_ROUTING'; readonly flags: number; readonly routes: readonly GsiRoute[] }
  /** A VMM's device writes to an eventfd, or reads how often it was written to: no calls of KVM's, but heard by it. */
  | { readonly call: 'eventfd_write' | 'eventfd_read'; readonly fd: number }
  /** `address`: of an ITS's frame; `data`: the EventID. Answers 1 for delivered, 0 for blocked by the guest. */
  | {
      readonly call: 'KVM_SIGNAL_MSI'
      readonly address: bigint
      readonly data: number
      readonly flags: number
      readonly devid: number
    }
  /**
   * Only its start: the checks of the first run, then the vCPU executes when the machine runs. A VMM brings its vCPUs
   * back before it changes anything; `stay`: it does not, and this one is inside KVM_RUN until its next call.
   */
  | { readonly call: 'KVM_RUN'; readonly vcpu: number; readonly stay?: true }

export type KvmAnswer =
  | {
      readonly ok: true
      readonly value?: bigint
      readonly list?: readonly bigint[]
      /** What was lost or changed on the way, for a person who wonders. */
      readonly note?: string
    }
  | {
      readonly ok: false
      readonly errno: Errno
      readonly why: string
      /** A Linux function or file, or a place in ARCHITECTURE.md. */
      readonly source: string
    }

const hex = (value: bigint | number): string => `0x${value.toString(16)}`

const nameOf = (table: Readonly<Record<string, number | bigint>>, value: number | bigint): string =>
  Object.entries(table).find(([, candidate]) => candidate === value)?.[0] ?? hex(value)

const attrText = ({ group, attr, its, vcpu }: DeviceAttr): string => {
  if (vcpu !== undefined) {
    return `vcpu ${vcpu} ${vcpuGroupName(group) ?? `group ${group}`} ${group === VCPU_GROUP.PMU_V3_CTRL ? nameOf(PMU_V3, attr) : hex(attr)}`
  }
  const name = `${its === undefined ? '' : `ITS ${its} `}${vgicGroupName(group) ?? `group ${group}`}`
  switch (group) {
    case VGIC_GROUP.ADDR:
      return `${name} ${nameOf(VGIC_ADDR, attr)}`
    case VGIC_GROUP.CTRL:
      return `${name} ${nameOf(VGIC_CTRL, attr)}`
    case VGIC_GROUP.NR_IRQS:
      return name
    case VGIC_GROUP.CPU_REGS: {
      const { vcpuId, offset } = v2RegisterAttrFields(attr)
      return `${name} vcpu ${vcpuId} ${hex(offset)}`
    }
    case VGIC_GROUP.DIST_REGS:
    case VGIC_GROUP.ITS_REGS:
      return `${name} ${hex(registerAttrFields(attr).offset)}`
    default: {
      const { affinity, offset } = registerAttrFields(attr)
      return `${name} ${affinityText(affinity)} ${hex(offset)}`
    }
  }
}

const valueText = ({ group, attr, value, vcpu }: DeviceAttr & { readonly value: bigint }): string => {
  if (vcpu !== undefined) return isVcpuValueless(group, attr) ? '' : ` = ${value}`
  if (group === VGIC_GROUP.CTRL) return ''
  if (group === VGIC_GROUP.NR_IRQS) return ` = ${value}`
  if (group === VGIC_GROUP.ADDR && attr === VGIC_ADDR.V3_REDIST_REGION) {
    const { index, base, count } = decodeRedistRegion(value)
    return ` = { index ${index}, base ${hex(base)}, count ${count} }`
  }
  return ` = ${hex(value)}`
}

const irqfdText = ({ flags, resamplefd }: Extract<KvmCall, { call: 'KVM_IRQFD' }>): string => {
  if ((flags & IRQFD.DEASSIGN) !== 0) return ' (deassign)'
  return (flags & IRQFD.RESAMPLE) === 0 ? '' : ` resamplefd ${resamplefd}`
}

const flagsText = (flags: number): string => (flags === 0 ? '' : ` flags ${hex(flags)}`)

const routeText = (route: GsiRoute): string => {
  const { gsi, flags } = route
  switch (route.to) {
    case 'irqchip':
      return `gsi ${gsi} = irqchip ${route.irqchip} pin ${route.pin}${flagsText(flags)}`
    case 'msi': {
      const devid = (flags & KVM_MSI_VALID_DEVID) === 0 ? '' : ` devid ${hex(route.devid)}`
      return `gsi ${gsi} = msi ${hex(route.address)} data ${hex(route.data)}${devid}${flagsText(flags & ~KVM_MSI_VALID_DEVID)}`
    }
    case 'other':
      return `gsi ${gsi} = type ${route.type}${flagsText(flags)}`
  }
}

/** A call on one line, as strace would have it. */
export const callText = (call: KvmCall): string => {
  switch (call.call) {
    case 'KVM_CREATE_VM':
      return (call.type ?? 0) === 0 ? call.call : `${call.call} type ${call.type}`
    case 'KVM_CREATE_IRQCHIP':
      return call.call
    case 'KVM_CHECK_EXTENSION':
      return `${call.call} ${capabilityName(call.capability) ?? call.capability}`
    case 'KVM_CREATE_VCPU':
      return `${call.call} id ${call.id}`
    case 'KVM_ARM_VCPU_INIT':
      return `${call.call} vcpu ${call.vcpu} { ${call.features.join(', ')} }`
    case 'KVM_GET_ONE_REG':
      return `${call.call} vcpu ${call.vcpu} ${oneRegName(call.reg) ?? hex(call.reg)}`
    case 'KVM_SET_ONE_REG':
      return `${call.call} vcpu ${call.vcpu} ${oneRegName(call.reg) ?? hex(call.reg)} = ${hex(call.value)}`
    case 'KVM_GET_REG_LIST':
    case 'KVM_GET_MP_STATE':
      return `${call.call} vcpu ${call.vcpu}`
    case 'KVM_SET_MP_STATE':
      return `${call.call} vcpu ${call.vcpu} ${call.state}`
    case 'KVM_CREATE_DEVICE':
      return `${call.call} ARM_VGIC_${nameOf(DEVICE_TYPE, call.type)}${call.test === true ? ' (test)' : ''}`
    case 'KVM_HAS_DEVICE_ATTR':
    case 'KVM_GET_DEVICE_ATTR':
      return `${call.call} ${attrText(call)}`
    case 'KVM_SET_DEVICE_ATTR':
      return `${call.call} ${attrText(call)}${valueText(call)}`
    case 'KVM_IRQ_LINE':
      return `${call.call} ${hex(call.irq)} ${call.level ? 'up' : 'down'}`
    case 'KVM_IRQFD':
      return `${call.call} fd ${call.fd} gsi ${call.gsi}${irqfdText(call)}`
    case 'KVM_SET_GSI_ROUTING':
      return `${call.call}${flagsText(call.flags)} { ${call.routes.map(routeText).join(', ')} }`
    case 'eventfd_write':
    case 'eventfd_read':
      return `${call.call} fd ${call.fd}`
    case 'KVM_SIGNAL_MSI':
      return `${call.call} ${hex(call.address)} data ${hex(call.data)}${(call.flags & KVM_MSI_VALID_DEVID) === 0 ? '' : ` devid ${hex(call.devid)}`}`
    case 'KVM_RUN':
      return `${call.call} vcpu ${call.vcpu}${call.stay === true ? ' (stays inside)' : ''}`
  }
}
