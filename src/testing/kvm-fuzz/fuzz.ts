/** Random steps on our KVM beside the model, with what must hold after each. */
import { diffImages, differenceText } from '../../pure/image/diff.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import type { VmImage } from '../../pure/image/image.ts'
import { CaseVm } from '../kvm-cases/case-vm.ts'
import type { Env } from '../kvm-cases/case-vm.ts'
import { Model } from './model.ts'
import { IDS, OPENING, isUsers, newVm, observe, operation, perform, random } from './operations.ts'
import type { Operation } from './operations.ts'

export interface Finding {
  readonly seed: number
  readonly step: number
  readonly what: string
  /** What led there in this VM, last one last. */
  readonly history: readonly Operation[]
}

/** A VM's life, in steps: then there is a new one. */
const LIFE = 120
/** How often a VM is saved and restored. */
const SAVE_EVERY = 60

const firstDifference = (a: readonly string[], b: readonly string[]): string | undefined => {
  const at = a.findIndex((line, i) => line !== b[i])
  return at < 0 ? undefined : `${a[at]}; the model has ${b[at]}`
}

/** An interrupt sits on at most one list, and on the one it says. */
const listsAreRight = (vm: CaseVm): string | undefined => {
  const on = new Map<string, number>()
  for (const [cpu, { apList }] of (vm.kvm.vgic?.inspect().cpus ?? []).entries()) {
    for (const intid of apList) {
      const name = intid < 32 ? `${intid} of CPU ${cpu}` : `${intid}`
      if (on.has(name)) return `interrupt ${name} is on the lists of CPU ${on.get(name)} and CPU ${cpu}`
      on.set(name, cpu)
    }
  }
  return undefined
}

const imageOf = (vm: CaseVm, env: Env): VmImage | string => {
  const saved = saveVm((call) => vm.call(call), {
    vcpus: IDS.map((id) => ({ id, features: ['PSCI_0_2'] as const })),
    savedOn: env,
  })
  return saved.ok ? saved.image : saved.what
}

/** Saving and restoring on the same host gives the same registers; patch-v1 is known to lose routes. */
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
  return differences.length === 0 ? undefined : `restored: ${differences.join('; ')}`
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

/** Runs; hands back the first thing that is wrong. `modelled`: what the model is told to be, the same if not given. */
export const fuzz = (env: Env, seed: number, steps: number, modelled = env): Finding | undefined => {
  const next = random(seed)
  let vm = newVm(env)
  let model = new Model(modelled)
  let acknowledged: number[][] = IDS.map(() => [])
  let history: Operation[] = []
  for (let step = 0; step < steps; step++) {
    if (step % LIFE === 0) {
      vm = newVm(env)
      model = new Model(modelled)
      acknowledged = IDS.map(() => [])
      history = []
    }
    const op = nextOperation(next, step % LIFE)
    history.push(op)
    const found = (what: string): Finding => ({ seed, step, what, history })
    const [answer, expected] = [perform(vm, acknowledged, op), model.perform(op)]
    if (answer !== expected) return found(`${op.do} answered ${answer}; the model says ${expected}`)
    if (vm.kvm.facts.hasRun) vm.runAll()
    const difference = firstDifference(observe(vm), model.observe())
    if (difference !== undefined) return found(`after ${op.do}: ${difference}`)
    const lists = listsAreRight(vm)
    if (lists !== undefined) return found(lists)
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
  const vms = [one, other].map((env) => ({ env, vm: newVm(env), acknowledged: IDS.map((): number[] => []) }))
  for (let step = 0; step < steps; step++) {
    const op = nextOperation(next, step)
    const [a, b] = vms.map(({ env, vm, acknowledged }) => [perform(vm, acknowledged, op), ...dump(vm, env)])
    const at = a?.findIndex((line, i) => line !== b?.[i]) ?? -1
    if (at >= 0) return `step ${step}, ${op.do}: ${a?.[at]}; on the other host ${b?.[at]}`
  }
  return undefined
}
