/** Random steps on our KVM beside the model, with what must hold after each. */
import { diffImages, differenceText } from '../../pure/image/diff.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import type { VmImage } from '../../pure/image/image.ts'
import { CaseVm } from '../kvm-cases/case-vm.ts'
import type { Env } from '../kvm-cases/kvm-case.ts'
import { Model } from './model.ts'
import {
  IDS,
  isUsers,
  newVm,
  nothingYet,
  observe,
  OPENING,
  operation,
  perform,
  PRIVATES,
  random,
  record,
  SPIS,
} from './operations.ts'
import type { Operation } from './operations.ts'

export interface Finding {
  readonly seed: number
  readonly step: number
  readonly what: string
  /** What led there in this VM, last one last. */
  readonly history: readonly Operation[]
}

/** How often an operation was answered in which way: `set MPIDR: EBUSY`. */
export type Tally = Map<string, number>

/** A VM's life, in steps: then there is a new one. */
const LIFE = 120
/** How often every register is compared; the interrupts' records are after each step. */
const LOOK_EVERY = 8
/** How often a VM is saved and restored. */
const SAVE_EVERY = 60

const firstDifference = (a: readonly string[], b: readonly string[]): string | undefined => {
  const at = a.findIndex((line, i) => line !== b[i])
  return at < 0 ? undefined : `${a[at]}; the model has ${b[at]}`
}

/** Every interrupt that takes part, by CPU and INTID. */
const TAKING_PART = [
  ...SPIS.map((intid) => [0, intid] as const),
  ...IDS.flatMap((_, cpu) => PRIVATES.map((intid) => [cpu, intid] as const)),
]

/** An interrupt is as the model has it, on one list at most, and on the one that it names. */
const recordsAreRight = (vm: CaseVm, model: Model): string | undefined => {
  const { vgic } = vm.kvm
  if (vgic === undefined) return 'there is no GIC'
  let named = 0
  for (const [cpu, intid] of TAKING_PART) {
    const irq = vgic.irq(cpu, intid)
    const ours = irq === undefined ? NaN : record(irq, irq.queuedOn)
    if (ours !== model.record(cpu, intid)) return `interrupt ${intid} of CPU ${cpu} is another than the model's`
    if (irq !== undefined && irq.queuedOn >= 0) named++
  }
  const queued = new Set<unknown>()
  for (const cpu of IDS.keys()) {
    for (const irq of vgic.queued(cpu)) {
      if (queued.has(irq) || irq.queuedOn !== cpu) {
        return `interrupt ${irq.intid} is on the list of CPU ${cpu}, and names ${irq.queuedOn}`
      }
      queued.add(irq)
    }
  }
  return named === queued.size ? undefined : `${named} interrupts name a list, ${queued.size} are on one`
}

const imageOf = (vm: CaseVm, env: Env): VmImage | string => {
  const saved = saveVm((call) => vm.call(call), {
    vcpus: IDS.map((id) => ({ id, features: ['PSCI_0_2'] as const })),
    savedOn: env,
  })
  return saved.ok ? saved.image : saved.what
}

const targets = (vm: CaseVm): string => SPIS.map((intid) => vm.tgt(intid)).join()

/**
 * Saving and restoring on the same host gives the same registers; patch-v1 is known to lose routes. Where an interrupt
 * goes follows from them under full-aff3 alone.
 */
const savesAndRestores = (vm: CaseVm, env: Env): string | undefined => {
  if (env.ruleSet === 'patch-v1') return undefined
  const affinities = new Set(IDS.map((_, cpu) => vm.mpidrValue(cpu) & 0xff_00ff_ffffn))
  // KVM's attributes cannot tell two vCPUs with one affinity from each other.
  if (affinities.size < IDS.length) return undefined
  const image = imageOf(vm, env)
  // On v6.7 to v6.9 a vCPU that moved after the first run cannot be found.
  if (typeof image === 'string') return env.base === '6.8' ? undefined : `saving: ${image}`
  const other = new CaseVm(env)
  const answer = restore((call) => other.call(call), restorePlan(image, ORDERS.documented))
  if (!answer.ok) return `restoring: ${stopText(answer)}`
  const again = imageOf(other, env)
  if (typeof again === 'string') return `saving again: ${again}`
  const differences = diffImages(image, again).map(differenceText)
  if (differences.length > 0) return `restored: ${differences.join('; ')}`
  if (env.ruleSet !== 'full-aff3' || targets(vm) === targets(other)) return undefined
  return `restored: SPIs go to ${targets(other)} and not to ${targets(vm)}`
}

/** A life begins with a VMM's hand alone; then the guest opens the GIC; then anything may happen. */
const VMM_ALONE = 20

const nextOperation = (next: () => number, age: number): Operation => {
  const opening = OPENING[age - VMM_ALONE]
  if (opening !== undefined) return opening
  for (;;) {
    const op = operation(next)
    if (age >= VMM_ALONE || isUsers(op)) return op
  }
}

/** What was answered, without the numbers in it. */
const kindOf = (answer: string): string => (/^[A-Z_]+$/.test(answer) ? answer : 'done')

export interface FuzzOptions {
  /** What the model is told to be: the same, if not given. */
  readonly modelled?: Env
  readonly tally?: Tally
}

/** Runs; hands back the first thing that is wrong. */
export const fuzz = (
  env: Env,
  seed: number,
  steps: number,
  { modelled = env, tally }: FuzzOptions = {},
): Finding | undefined => {
  const next = random(seed)
  let vm = newVm(env)
  let model = new Model(modelled)
  let acknowledged = nothingYet()
  let history: Operation[] = []
  for (let step = 0; step < steps; step++) {
    const age = step % LIFE
    if (age === 0) {
      vm = newVm(env)
      model = new Model(modelled)
      acknowledged = nothingYet()
      history = []
    }
    const op = nextOperation(next, age)
    history.push(op)
    const found = (what: string): Finding => ({ seed, step, what, history })
    const [answer, expected] = [perform(vm, acknowledged, op), model.perform(op)]
    if (tally !== undefined) {
      const kind = `${op.do}: ${kindOf(answer)}`
      tally.set(kind, (tally.get(kind) ?? 0) + 1)
    }
    if (answer !== expected) return found(`${op.do} answered ${answer}; the model says ${expected}`)
    if (vm.kvm.facts.hasRun) vm.runAll()
    const wrong = recordsAreRight(vm, model)
    const looks = wrong !== undefined || age % LOOK_EVERY === 0 || age === LIFE - 1
    const difference = looks ? firstDifference(observe(vm), model.observe()) : undefined
    if (difference !== undefined) return found(`after ${op.do}: ${difference}`)
    if (wrong !== undefined) return found(`after ${op.do}: ${wrong}`)
    const lost = step % SAVE_EVERY === SAVE_EVERY - 1 ? savesAndRestores(vm, env) : undefined
    if (lost !== undefined) return found(lost)
  }
  return undefined
}

/** Everything there is to see of a VM: what userspace saves, what the guest reads, what debugfs shows. */
const dump = (vm: CaseVm, env: Env): readonly string[] => {
  const image = imageOf(vm, env)
  const saved = typeof image === 'string' ? image : JSON.stringify({ ...image, savedOn: '' }, withBigints)
  return [...observe(vm), saved, vm.state()]
}

const withBigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)

/** The same steps on two hosts: the first answer or the first thing to see that differs. */
export const onTwoHosts = (one: Env, other: Env, seed: number, steps: number): string | undefined => {
  const next = random(seed)
  const vms = [one, other].map((env) => ({ env, vm: newVm(env), acknowledged: nothingYet() }))
  for (let step = 0; step < steps; step++) {
    const op = nextOperation(next, step)
    const [a, b] = vms.map(({ env, vm, acknowledged }) => [perform(vm, acknowledged, op), ...dump(vm, env)])
    const at = a?.findIndex((line, i) => line !== b?.[i]) ?? -1
    if (at >= 0) return `step ${step}, ${op.do}: ${a?.[at]}; on the other host ${b?.[at]}`
  }
  return undefined
}
