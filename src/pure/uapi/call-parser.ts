/** Calls read back from their text (`callText`), so that a plan is a script a person can edit. */
import { parseAffinity } from '../arch/affinity.ts'
import { KVM_CAP } from './capabilities.ts'
import { KVM_MSI_VALID_DEVID, VCPU_FEATURES } from './calls.ts'
import type { DeviceAttr, KvmCall } from './calls.ts'
import { IRQFD } from './irqfd.ts'
import type { GsiRoute } from './irqfd.ts'
import { ONE_REG } from './one-reg.ts'
import { PMU_V3, VCPU_GROUP, isVcpuValueless } from './vcpu-attr.ts'
import {
  DEVICE_TYPE,
  encodeRedistRegion,
  registerAttr,
  v2RegisterAttr,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
} from './vgic-attr.ts'

export type ParsedCall = { readonly ok: true; readonly call: KvmCall } | { readonly ok: false; readonly what: string }

/** Thrown and caught in this file only. */
class Wrong extends Error {}

/** The words of a line, from left to right. */
class Words {
  private readonly words: readonly string[]
  private at = 0

  constructor(text: string) {
    this.words = text.match(/[{}=,]|[^\s{}=,]+/g) ?? []
  }

  peek(): string | undefined {
    return this.words[this.at]
  }

  next(what: string): string {
    const word = this.words[this.at++]
    if (word === undefined) throw new Wrong(`${what} is missing at the end.`)
    return word
  }

  expect(...words: readonly string[]): void {
    for (const word of words) {
      const found = this.next(`"${word}"`)
      if (found !== word) throw new Wrong(`"${found}" stands where "${word}" is expected.`)
    }
  }

  take(word: string): boolean {
    if (this.peek() !== word) return false
    this.at++
    return true
  }

  big(what: string): bigint {
    const word = this.next(what)
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(word)) throw new Wrong(`${what} is "${word}", which is not a number.`)
    const value = BigInt(word)
    if (value >> 64n !== 0n) throw new Wrong(`${what} is ${word}, which has more than 64 bits.`)
    return value
  }

  number(what: string): number {
    const value = this.big(what)
    if (value > 0xffff_ffffn) throw new Wrong(`${what} is ${value}, which has more than 32 bits.`)
    return Number(value)
  }

  done(): void {
    const rest = this.peek()
    if (rest !== undefined) throw new Wrong(`"${rest}" stands after the end of the call.`)
  }
}

const named = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const nameOrNumber = (words: Words, table: Readonly<Record<string, bigint>>, what: string): bigint =>
  named(table, words.peek() ?? '') === undefined ? words.big(what) : (named(table, words.next(what)) ?? 0n)

const register = (words: Words): bigint => nameOrNumber(words, ONE_REG, 'The register')

const vcpu = (words: Words): number => {
  words.expect('vcpu')
  return words.number('The vCPU')
}

const features = (words: Words): readonly (typeof VCPU_FEATURES)[number][] => {
  words.expect('{')
  const all: (typeof VCPU_FEATURES)[number][] = []
  while (!words.take('}')) {
    const name = words.next('A feature, or "}",')
    const known = VCPU_FEATURES.find((feature) => feature === name)
    if (known === undefined) throw new Wrong(`"${name}" is not one of ${VCPU_FEATURES.join(', ')}.`)
    all.push(known)
    words.take(',')
  }
  return all
}

const deviceType = (words: Words): number => {
  const name = words.next('The device')
  const type = named(DEVICE_TYPE, name.replace(/^ARM_VGIC_/, ''))
  if (type === undefined) {
    const all = Object.keys(DEVICE_TYPE).map((one) => `ARM_VGIC_${one}`)
    throw new Wrong(`"${name}" is not one of ${all.join(', ')}.`)
  }
  return type
}

const affinity = (words: Words): number => {
  const parsed = parseAffinity(words.next('The affinity'))
  if (!parsed.ok) throw new Wrong(parsed.what)
  return parsed.affinity
}

const attribute = (words: Words, group: number): bigint => {
  switch (group) {
    case VGIC_GROUP.ADDR:
      return nameOrNumber(words, VGIC_ADDR, 'The address')
    case VGIC_GROUP.CTRL:
      return nameOrNumber(words, VGIC_CTRL, 'The control')
    case VGIC_GROUP.NR_IRQS:
      return 0n
    case VGIC_GROUP.CPU_REGS:
      return v2RegisterAttr(vcpu(words), words.number('The offset'))
    case VGIC_GROUP.DIST_REGS:
    case VGIC_GROUP.ITS_REGS:
      return registerAttr(0, words.number('The offset'))
    default:
      return registerAttr(affinity(words), words.number('The offset'))
  }
}

const vcpuAttr = (words: Words): DeviceAttr => {
  const index = words.number('The vCPU')
  const name = words.next('The group')
  const group = named(VCPU_GROUP, name)
  if (group === undefined) throw new Wrong(`"${name}" is not one of ${Object.keys(VCPU_GROUP).join(', ')}.`)
  const attr =
    group === VCPU_GROUP.PMU_V3_CTRL ? nameOrNumber(words, PMU_V3, 'The attribute') : words.big('The attribute')
  return { group, attr, vcpu: index }
}

const deviceAttr = (words: Words): DeviceAttr => {
  if (words.take('vcpu')) return vcpuAttr(words)
  const its = words.take('ITS') ? { its: words.number('The ITS') } : {}
  const name = words.next('The group')
  const group = named(VGIC_GROUP, name)
  if (group === undefined) throw new Wrong(`"${name}" is not one of ${Object.keys(VGIC_GROUP).join(', ')}.`)
  return { group, attr: attribute(words, group), ...its }
}

const region = (words: Words): bigint => {
  words.expect('{', 'index')
  const index = words.number('The index')
  words.expect(',', 'base')
  const base = Number(words.big('The base'))
  words.expect(',', 'count')
  const count = words.number('The count')
  words.expect('}')
  return encodeRedistRegion({ index, base, count, flags: 0 })
}

const isValueless = ({ group, attr, vcpu: of }: DeviceAttr): boolean =>
  of === undefined ? group === VGIC_GROUP.CTRL : isVcpuValueless(group, attr)

const value = (words: Words): bigint => {
  words.expect('=')
  return words.peek() === '{' ? region(words) : words.big('The value')
}

const optional = (words: Words, name: string): number | undefined =>
  words.take(name) ? words.number(`The ${name}`) : undefined

const numberAfter = (words: Words, name: string): number => {
  words.expect(name)
  return words.number(`The ${name}`)
}

const ROUTE_TARGETS = ['irqchip', 'msi', 'type'] as const

const route = (words: Words): GsiRoute => {
  const gsi = numberAfter(words, 'gsi')
  words.expect('=')
  const name = words.next('Where the GSI leads')
  const to = ROUTE_TARGETS.find((one) => one === name)
  switch (to) {
    case 'irqchip': {
      const irqchip = words.number('The irqchip')
      const pin = numberAfter(words, 'pin')
      return { gsi, flags: optional(words, 'flags') ?? 0, to, irqchip, pin }
    }
    case 'msi': {
      const address = words.big('The address')
      const data = numberAfter(words, 'data')
      const devid = optional(words, 'devid')
      const flags = (optional(words, 'flags') ?? 0) | (devid === undefined ? 0 : KVM_MSI_VALID_DEVID)
      return { gsi, flags, to, address, data, devid: devid ?? 0 }
    }
    case 'type': {
      const type = words.number('The type')
      return { gsi, flags: optional(words, 'flags') ?? 0, to: 'other', type }
    }
    default:
      throw new Wrong(`"${name}" is not one of ${ROUTE_TARGETS.join(', ')}.`)
  }
}

const routes = (words: Words): readonly GsiRoute[] => {
  words.expect('{')
  const all: GsiRoute[] = []
  while (!words.take('}')) {
    all.push(route(words))
    words.take(',')
  }
  return all
}

const irqfd = (words: Words): KvmCall => {
  const made = { call: 'KVM_IRQFD', fd: numberAfter(words, 'fd'), gsi: numberAfter(words, 'gsi') } as const
  if (words.take('(deassign)')) return { ...made, flags: IRQFD.DEASSIGN }
  const resamplefd = optional(words, 'resamplefd')
  return resamplefd === undefined ? { ...made, flags: 0 } : { ...made, flags: IRQFD.RESAMPLE, resamplefd }
}

/** How the rest of a line is read, by the name of the call. */
const READERS: Readonly<Record<KvmCall['call'], (words: Words) => KvmCall>> = {
  KVM_CREATE_VM: (words) =>
    words.take('type') ? { call: 'KVM_CREATE_VM', type: words.number('The type') } : { call: 'KVM_CREATE_VM' },
  KVM_CHECK_EXTENSION: (words) => {
    const capability = named(KVM_CAP, words.peek() ?? '')
    if (capability === undefined) return { call: 'KVM_CHECK_EXTENSION', capability: words.number('The capability') }
    words.next('The capability')
    return { call: 'KVM_CHECK_EXTENSION', capability }
  },
  KVM_CREATE_IRQCHIP: () => ({ call: 'KVM_CREATE_IRQCHIP' }),
  KVM_CREATE_VCPU: (words) => {
    words.expect('id')
    return { call: 'KVM_CREATE_VCPU', id: words.number('The id') }
  },
  KVM_ARM_VCPU_INIT: (words) => ({ call: 'KVM_ARM_VCPU_INIT', vcpu: vcpu(words), features: features(words) }),
  KVM_GET_ONE_REG: (words) => ({ call: 'KVM_GET_ONE_REG', vcpu: vcpu(words), reg: register(words) }),
  KVM_SET_ONE_REG: (words) => ({
    call: 'KVM_SET_ONE_REG',
    vcpu: vcpu(words),
    reg: register(words),
    value: value(words),
  }),
  KVM_GET_REG_LIST: (words) => ({ call: 'KVM_GET_REG_LIST', vcpu: vcpu(words) }),
  KVM_GET_MP_STATE: (words) => ({ call: 'KVM_GET_MP_STATE', vcpu: vcpu(words) }),
  KVM_SET_MP_STATE: (words) => ({ call: 'KVM_SET_MP_STATE', vcpu: vcpu(words), state: words.big('The state') }),
  KVM_CREATE_DEVICE: (words) => {
    const type = deviceType(words)
    return words.take('(test)') ? { call: 'KVM_CREATE_DEVICE', type, test: true } : { call: 'KVM_CREATE_DEVICE', type }
  },
  KVM_HAS_DEVICE_ATTR: (words) => ({ call: 'KVM_HAS_DEVICE_ATTR', ...deviceAttr(words) }),
  KVM_GET_DEVICE_ATTR: (words) => ({ call: 'KVM_GET_DEVICE_ATTR', ...deviceAttr(words) }),
  KVM_SET_DEVICE_ATTR: (words) => {
    const attr = deviceAttr(words)
    return {
      call: 'KVM_SET_DEVICE_ATTR',
      ...attr,
      value: isValueless(attr) ? 0n : value(words),
    }
  },
  KVM_IRQ_LINE: (words) => {
    const irq = words.number('The irq')
    const level = words.next('"up" or "down"')
    if (level !== 'up' && level !== 'down') throw new Wrong(`"${level}" stands where "up" or "down" is expected.`)
    return { call: 'KVM_IRQ_LINE', irq, level: level === 'up' }
  },
  KVM_IRQFD: irqfd,
  KVM_SET_GSI_ROUTING: (words) => ({
    call: 'KVM_SET_GSI_ROUTING',
    flags: optional(words, 'flags') ?? 0,
    routes: routes(words),
  }),
  eventfd_write: (words) => ({ call: 'eventfd_write', fd: numberAfter(words, 'fd') }),
  eventfd_read: (words) => ({ call: 'eventfd_read', fd: numberAfter(words, 'fd') }),
  KVM_SIGNAL_MSI: (words) => {
    const address = words.big('The address')
    const data = numberAfter(words, 'data')
    const devid = optional(words, 'devid')
    const flags = devid === undefined ? 0 : KVM_MSI_VALID_DEVID
    return { call: 'KVM_SIGNAL_MSI', address, data, flags, devid: devid ?? 0 }
  },
  KVM_RUN: (words) => {
    const run = { call: 'KVM_RUN', vcpu: vcpu(words) } as const
    if (!words.take('(stays')) return run
    words.expect('inside)')
    return { ...run, stay: true }
  },
}

export const parseCall = (text: string): ParsedCall => {
  const words = new Words(text)
  try {
    const name = words.next('A call')
    const read = named<(words: Words) => KvmCall>(READERS, name)
    if (read === undefined) throw new Wrong(`"${name}" is not a call of a plan: ${Object.keys(READERS).join(', ')}.`)
    const call = read(words)
    words.done()
    return { ok: true, call }
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, what: error.message }
    throw error
  }
}
