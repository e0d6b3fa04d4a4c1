/** KVM calls as they cross: their shape. What they ask for is for KVM to judge, with an errno. */
import * as z from 'zod/mini'
import { VCPU_FEATURES } from '../uapi/calls.ts'
import type { KvmCall } from '../uapi/calls.ts'

const index = z.int().check(z.nonnegative())
const vcpu = index
const deviceAttr = { group: index, attr: z.bigint(), its: z.exactOptional(index), vcpu: z.exactOptional(index) }
const pointer = { badPointer: z.exactOptional(z.literal(true)) }

const ofGsi = { gsi: index, flags: index }
const gsiRoute = z.discriminatedUnion('to', [
  z.object({ ...ofGsi, to: z.literal('irqchip'), irqchip: index, pin: index }),
  z.object({ ...ofGsi, to: z.literal('msi'), address: z.bigint(), data: index, devid: index }),
  z.object({ ...ofGsi, to: z.literal('other'), type: index }),
])

export const kvmCall: z.ZodMiniType<KvmCall> = z.discriminatedUnion('call', [
  z.object({ call: z.literal('KVM_CREATE_VM'), type: z.exactOptional(index) }),
  z.object({ call: z.literal('KVM_CHECK_EXTENSION'), capability: index }),
  z.object({ call: z.literal('KVM_CREATE_VCPU'), id: z.int() }),
  z.object({ call: z.literal('KVM_ARM_VCPU_INIT'), vcpu, features: z.array(z.enum(VCPU_FEATURES)) }),
  z.object({ call: z.literal('KVM_GET_ONE_REG'), vcpu, reg: z.bigint(), ...pointer }),
  z.object({ call: z.literal('KVM_SET_ONE_REG'), vcpu, reg: z.bigint(), value: z.bigint(), ...pointer }),
  z.object({ call: z.literal('KVM_GET_REG_LIST'), vcpu, room: z.exactOptional(index) }),
  z.object({ call: z.literal('KVM_GET_MP_STATE'), vcpu }),
  z.object({ call: z.literal('KVM_SET_MP_STATE'), vcpu, state: z.bigint() }),
  z.object({ call: z.literal('KVM_CREATE_IRQCHIP') }),
  z.object({ call: z.literal('KVM_CREATE_DEVICE'), type: index, test: z.exactOptional(z.boolean()) }),
  z.object({ call: z.literal('KVM_HAS_DEVICE_ATTR'), ...deviceAttr }),
  z.object({ call: z.literal('KVM_GET_DEVICE_ATTR'), ...deviceAttr, value: z.exactOptional(z.bigint()), ...pointer }),
  z.object({ call: z.literal('KVM_SET_DEVICE_ATTR'), ...deviceAttr, value: z.bigint(), ...pointer }),
  z.object({ call: z.literal('KVM_IRQ_LINE'), irq: index, level: z.boolean() }),
  z.object({ call: z.literal('KVM_IRQFD'), fd: index, gsi: index, flags: index, resamplefd: z.exactOptional(index) }),
  z.object({ call: z.literal('KVM_SET_GSI_ROUTING'), flags: index, routes: z.array(gsiRoute) }),
  z.object({ call: z.enum(['eventfd_write', 'eventfd_read']), fd: index }),
  z.object({
    call: z.literal('KVM_SIGNAL_MSI'),
    address: z.bigint(),
    data: index,
    flags: index,
    devid: index,
  }),
  z.object({ call: z.literal('KVM_RUN'), vcpu, stay: z.exactOptional(z.literal(true)) }),
])
