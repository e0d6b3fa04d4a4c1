/** The steps of a script (scripts/README.md) on our KVM: what script.c does on a real one, verb by verb. */
import { GITS_TRANSLATER } from '../../pure/arch/gic/gits.ts'
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { KVM_MSI_VALID_DEVID, VCPU_FEATURES } from '../../pure/uapi/calls.ts'
import type { KvmAnswer, VcpuFeature } from '../../pure/uapi/calls.ts'
import { ROUTE_TYPE } from '../../pure/uapi/irqfd.ts'
import type { GsiRoute } from '../../pure/uapi/irqfd.ts'
import { VGIC_ADDR, VGIC_CTRL, v2RegisterAttr } from '../../pure/uapi/vgic-attr.ts'
import type { AccessWidth } from '../../engine/bus/device.ts'
import { ename, gv, hex } from '../kvm-cases/answers.ts'
import { CaseVm } from '../kvm-cases/case-vm.ts'
import type { Env } from '../kvm-cases/kvm-case.ts'
import { AT, G, GICC, GICD, ITS, RAM, RD, SGI } from '../kvm-cases/places.ts'

const RAM_BYTES = 2 * 2 ** 20
const [GITS_CBASER, GITS_CWRITER, GITS_CREADR] = [0x80n, 0x88n, 0x90n] as const
const WORD = 0xffff_ffffn

const FRAMES = [0, 1, 2, 3]
const PLACES: ReadonlyMap<string, bigint> = new Map([
  ['GICD', BigInt(GICD)],
  ['GICC', BigInt(GICC)],
  ['ITS', BigInt(ITS)],
  ['RAM', RAM],
  ...FRAMES.map((vcpu) => [`RD${vcpu}`, BigInt(RD(vcpu))] as const),
  ...FRAMES.map((vcpu) => [`SGI${vcpu}`, BigInt(SGI(vcpu))] as const),
])

const isIcc = (name: string): name is IccName => name in ICC
const iccName = (encoding: bigint): IccName | undefined =>
  Object.keys(ICC)
    .filter(isIcc)
    .find((name) => ICC[name] === Number(encoding))

/** A number, a register's name, a place, or a place + a number. */
const argument = (word: string): bigint => {
  if (isIcc(word)) return BigInt(ICC[word])
  const [place = '', offset = '0'] = word.split('+')
  const base = PLACES.get(place)
  return base === undefined ? BigInt(word) : base + BigInt(offset)
}

/** GSI, type, flags, and chip, pin or address, data, device. */
const routeOf = ([gsi = 0n, type = 0n, flags = 0n, a = 0n, b = 0n, c = 0n]: readonly bigint[]): GsiRoute => {
  const of = { gsi: Number(gsi), flags: Number(flags) }
  if (type === BigInt(ROUTE_TYPE.IRQCHIP)) return { ...of, to: 'irqchip', irqchip: Number(a), pin: Number(b) }
  if (type === BigInt(ROUTE_TYPE.MSI)) return { ...of, to: 'msi', address: a, data: Number(b), devid: Number(c) }
  return { ...of, to: 'other', type: Number(type) }
}

/** A bit that no name here has stands for one that KVM does not know either. */
const featuresOf = (bits: bigint): readonly VcpuFeature[] => {
  const named = VCPU_FEATURES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n)
  return bits >> BigInt(VCPU_FEATURES.length) === 0n ? named : [...named, 'HAS_EL2']
}

const valueOr = (answer: KvmAnswer, mask = 2n ** 64n - 1n): string =>
  answer.ok ? hex((answer.value ?? 0n) & mask) : ename(answer)

/** One row of vgic-state. */
const ROW = /^ +(?:SGI|PPI|SPI|LPI) +(\d+) +(-?\d+) (\d{7}) +\d+ +[0-9a-f]+ +[0-9a-f]+ +(\d+) +(-?\d+) $/

type Step = (this: Performer, ...args: readonly bigint[]) => string

export class Performer {
  private readonly env: Env
  private readonly cpu: CpuModelId
  private made: CaseVm | undefined

  constructor(env: Env, cpu: CpuModelId = 'cortex-a57') {
    this.env = env
    this.cpu = cpu
  }

  perform(step: string): string {
    const [verb = '', ...words] = step.split(' ')
    const run = VERBS[verb]
    if (run === undefined) throw new Error(`the script has a step "${verb}"`)
    return run.apply(this, words.map(argument))
  }

  get vm(): CaseVm {
    if (this.made === undefined) throw new Error('the script has no VM yet')
    return this.made
  }

  /** A new VM with vCPUs of these ids. */
  make(ids: readonly bigint[], gic: (vm: CaseVm) => string): string {
    const vm = new CaseVm(this.env, RAM_BYTES, this.cpu)
    this.made = vm
    return vm.all(...ids.map((id) => () => vm.add(Number(id))), () => gic(vm))
  }

  /** Attributes of the GIC, or of the ITS made last. */
  get(group: bigint, attr: bigint, value?: bigint, its?: number): KvmAnswer {
    const where = { group: Number(group), attr, ...(its === undefined ? {} : { its }) }
    return this.vm.call({ call: 'KVM_GET_DEVICE_ATTR', ...where, ...(value === undefined ? {} : { value }) })
  }

  set(group: bigint, attr: bigint, value: bigint, its?: number): string {
    const where = { group: Number(group), attr, ...(its === undefined ? {} : { its }) }
    return ename(this.vm.call({ call: 'KVM_SET_DEVICE_ATTR', ...where, value }))
  }

  has(group: bigint, attr: bigint, its?: number): string {
    const where = { group: Number(group), attr, ...(its === undefined ? {} : { its }) }
    return ename(this.vm.call({ call: 'KVM_HAS_DEVICE_ATTR', ...where }))
  }

  /** A register of the GIC that is a CPU's, as userspace has it. */
  at(cpu: bigint, offset: bigint): bigint {
    return AT(mpidrAffinity.decode(this.vm.mpidrValue(Number(cpu))), Number(offset))
  }

  settle(): void {
    for (const vcpu of this.vm.ids.keys()) this.vm.nop(vcpu)
  }

  /** INTID:target:flags:priority:ap_list of the rows of vgic-state that are wanted. */
  rows(wanted: (intid: number, block: number) => boolean): string {
    const rows: string[] = []
    let block = -1
    for (const line of this.vm.state().split('\n')) {
      if (line.includes(' TYP ')) block++
      const [, intid, target, flags, priority, apList] = ROW.exec(line) ?? []
      if (intid === undefined || !wanted(Number(intid), block)) continue
      rows.push(`${intid}:${target}:${flags}:${hex(Number(priority))}:${apList}`)
    }
    return rows.length === 0 ? 'none' : rows.join(' ')
  }

  memory(address: bigint): DataView {
    const at = Number(address)
    const bytes = this.vm.machine.ram(at, Math.min(8, Number(RAM) + RAM_BYTES - at))
    // As in script.c: what is written elsewhere is lost.
    if (bytes === undefined) return new DataView(new ArrayBuffer(8))
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  itsRegister(offset: bigint): bigint {
    const answer = this.get(BigInt(G.ITS_REGS), offset, undefined, 0)
    return answer.ok ? (answer.value ?? 0n) : 0n
  }

  /** Into the ring, and GITS_CWRITER behind it. */
  command(words: readonly bigint[]): string {
    const cbaser = this.itsRegister(GITS_CBASER)
    const at = this.itsRegister(GITS_CWRITER)
    const size = ((cbaser & 0xffn) + 1n) << 12n
    const ring = cbaser & 0xf_ffff_ffff_f000n
    for (const [i, word] of words.entries()) this.memory(ring + at + BigInt(8 * i)).setBigUint64(0, word, true)
    const error = this.set(BigInt(G.ITS_REGS), GITS_CWRITER, (at + 32n) % size, 0)
    return error === '0' ? hex(this.itsRegister(GITS_CREADR)) : error
  }
}

const load = (width: AccessWidth): Step =>
  function (cpu = 0n, address = 0n) {
    return gv(this.vm.load(Number(cpu), width, Number(address)))
  }

const store = (width: AccessWidth): Step =>
  function (cpu = 0n, address = 0n, value = 0n) {
    this.vm.write(Number(cpu), width, Number(address), value)
    return '0'
  }

/** A register of a group, 32 bits unless said otherwise; `attr`: how its attribute is put together. */
const register = (
  group: number,
  attr: (performer: Performer, cpu: bigint, offset: bigint) => bigint,
  mask = WORD,
): readonly [Step, Step] => [
  function (cpu = 0n, offset = 0n) {
    return valueOr(this.get(BigInt(group), attr(this, cpu, offset)), mask)
  },
  function (cpu = 0n, offset = 0n, value = 0n) {
    return this.set(BigInt(group), attr(this, cpu, offset), value)
  },
]

const byAffinity = (performer: Performer, cpu: bigint, offset: bigint): bigint => performer.at(cpu, offset)
const byId = (_: Performer, cpu: bigint, offset: bigint): bigint => v2RegisterAttr(Number(cpu), Number(offset))

const [rd, setRd] = register(G.REDIST_REGS, byAffinity)
const [sys, setSys] = register(G.CPU_SYSREGS, byAffinity, 2n ** 64n - 1n)
const [level, setLevel] = register(G.LEVEL_INFO, byAffinity)
const [dist2, setDist2] = register(G.DIST_REGS, byId)
const [cpu2, setCpu2] = register(G.CPU_REGS, byId)

const VERBS: Readonly<Record<string, Step>> = {
  bare(...ids) {
    return this.make(ids, () => '0')
  },
  vm(...ids) {
    return this.make(ids, (vm) => vm.v3())
  },
  vm2(...ids) {
    return this.make(ids, (vm) => vm.v2())
  },
  vcpu(id = 0n) {
    return this.vm.add(Number(id))
  },
  mpidr(cpu = 0n, value = 0n) {
    return this.vm.setMpidr(Number(cpu), value)
  },
  routes(flags = 0n, ...words) {
    const routes = Array.from({ length: Math.floor(words.length / 6) }, (_, i) => routeOf(words.slice(6 * i)))
    return ename(this.vm.call({ call: 'KVM_SET_GSI_ROUTING', flags: Number(flags), routes }))
  },
  'many-routes'(count = 0n) {
    const routes = Array.from({ length: Number(count) }, (_, gsi) => routeOf([BigInt(gsi), 1n]))
    return ename(this.vm.call({ call: 'KVM_SET_GSI_ROUTING', flags: 0, routes }))
  },
  irqfd(fd = 0n, gsi = 0n, flags = 0n, resamplefd) {
    const resamples = resamplefd === undefined ? {} : { resamplefd: Number(resamplefd) }
    const call = { call: 'KVM_IRQFD', fd: Number(fd), gsi: Number(gsi), flags: Number(flags), ...resamples } as const
    return ename(this.vm.call(call))
  },
  signal(fd = 0n) {
    return ename(this.vm.call({ call: 'eventfd_write', fd: Number(fd) }))
  },
  drain(fd = 0n) {
    return valueOr(this.vm.call({ call: 'eventfd_read', fd: Number(fd) }))
  },
  create(id = 0n) {
    return this.vm.create(Number(id))
  },
  init(cpu = 0n, bits = 0n) {
    return this.vm.init(Number(cpu), ...featuresOf(bits))
  },
  cap(capability = 0n) {
    const answer = this.vm.call({ call: 'KVM_CHECK_EXTENSION', capability: Number(capability) })
    return answer.ok ? `${answer.value}` : ename(answer)
  },
  vhas(cpu = 0n, group = 0n, attr = 0n) {
    return ename(this.vm.call({ call: 'KVM_HAS_DEVICE_ATTR', vcpu: Number(cpu), group: Number(group), attr }))
  },
  vget(cpu = 0n, group = 0n, attr = 0n) {
    return valueOr(this.vm.call({ call: 'KVM_GET_DEVICE_ATTR', vcpu: Number(cpu), group: Number(group), attr }))
  },
  vset(cpu = 0n, group = 0n, attr = 0n, value) {
    const at = { call: 'KVM_SET_DEVICE_ATTR', vcpu: Number(cpu), group: Number(group), attr } as const
    return ename(this.vm.call(value === undefined ? { ...at, value: 0n, badPointer: true } : { ...at, value }))
  },
  run(cpu = 0n) {
    return this.vm.run(Number(cpu))
  },

  device(type = 0n) {
    return this.vm.gic(Number(type))
  },
  has(group = 0n, attr = 0n) {
    return this.has(group, attr)
  },
  get(group = 0n, attr = 0n, preset) {
    return valueOr(this.get(group, attr, preset))
  },
  set(group = 0n, attr = 0n, value = 0n) {
    return this.set(group, attr, value)
  },
  'its-has'(group = 0n, attr = 0n) {
    return this.has(group, attr, 0)
  },
  'its-get'(group = 0n, attr = 0n) {
    return valueOr(this.get(group, attr, undefined, 0))
  },
  'its-set'(group = 0n, attr = 0n, value = 0n) {
    return this.set(group, attr, value, 0)
  },
  dist(offset = 0n) {
    return valueOr(this.get(BigInt(G.DIST_REGS), offset), WORD)
  },
  'dist='(offset = 0n, value = 0n) {
    return this.set(BigInt(G.DIST_REGS), offset, value)
  },
  rd,
  'rd=': setRd,
  sys,
  'sys=': setSys,
  level,
  'level=': setLevel,
  dist2,
  'dist2=': setDist2,
  cpu2,
  'cpu2=': setCpu2,

  line(type = 0n, cpu = 0n, intid = 0n, high = 0n) {
    return this.vm.irqLine(Number(type), Number(cpu), Number(intid), high !== 0n)
  },
  msi(device = 0n, event = 0n, flags = BigInt(KVM_MSI_VALID_DEVID), address = BigInt(ITS + GITS_TRANSLATER)) {
    const [data, devid] = [Number(event), Number(device)]
    const answer = this.vm.call({ call: 'KVM_SIGNAL_MSI', address, data, flags: Number(flags), devid })
    return answer.ok ? `${answer.value}` : ename(answer)
  },
  pending() {
    return this.set(BigInt(G.CTRL), VGIC_CTRL.SAVE_PENDING_TABLES, 0n)
  },
  settle() {
    this.settle()
    return '0'
  },
  irqs(cpu = 0n, ...intids) {
    const listed = new Set(intids.map(Number))
    return this.rows((intid, block) => listed.has(intid) && (intid >= 32 || block === Number(cpu)))
  },
  lpis() {
    this.settle()
    return this.rows((intid) => intid >= 8192)
  },

  place(address = 0n) {
    return this.set(BigInt(G.ADDR), VGIC_ADDR.ITS, address, 0)
  },
  cmd(...words) {
    return this.command(words)
  },

  mem(address = 0n) {
    return hex(this.memory(address).getBigUint64(0, true))
  },
  'mem='(address = 0n, value = 0n) {
    this.memory(address).setBigUint64(0, value, true)
    return '0'
  },
  byte(address = 0n) {
    return hex(this.memory(address).getUint8(0))
  },
  'byte='(address = 0n, value = 0n) {
    this.memory(address).setUint8(0, Number(value))
    return '0'
  },

  open() {
    this.vm.listening()
    return '0'
  },
  ack(cpu = 0n) {
    this.settle()
    return `${this.vm.ack(Number(cpu))}`
  },
  mrs(cpu = 0n, encoding = 0n) {
    const name = iccName(encoding)
    return name === undefined ? 'no such register' : gv(this.vm.mrs(Number(cpu), name))
  },
  msr(cpu = 0n, encoding = 0n, value = 0n) {
    const name = iccName(encoding)
    return name === undefined ? 'no such register' : gv(this.vm.msr(Number(cpu), name, value))
  },
  r8: load(1),
  r16: load(2),
  r32: load(4),
  r64: load(8),
  w8: store(1),
  w16: store(2),
  w32: store(4),
  w64: store(8),
}
