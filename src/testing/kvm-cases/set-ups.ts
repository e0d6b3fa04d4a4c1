/** The VMs that cases begin with. */
import type { VcpuFeature } from '../../pure/uapi/calls.ts'
import { DEVICE_TYPE } from '../../pure/uapi/vgic-attr.ts'
import { CaseVm } from './case-vm.ts'
import type { Env } from './kvm-case.ts'
import { A, G } from './places.ts'

/** vCPUs with ids 0 to n - 1 and no GIC. */
export const vcpus = (env: Env, n: number, ...features: readonly VcpuFeature[]): CaseVm => {
  const vm = new CaseVm(env)
  for (let id = 0; id < n; id++) vm.must(vm.add(id, ...features))
  return vm
}

/** Four vCPUs and an initialised vGICv3: set-up S. */
export const four = (env: Env, ...features: readonly VcpuFeature[]): CaseVm => {
  const vm = vcpus(env, 4, ...features)
  return vm.must(vm.v3())
}

/** S, with some vCPUs powered off. */
export const fourWithout = (env: Env, ...off: readonly number[]): CaseVm => {
  const vm = new CaseVm(env)
  for (let id = 0; id < 4; id++) vm.must(off.includes(id) ? vm.add(id, 'POWER_OFF') : vm.add(id))
  return vm.must(vm.v3())
}

interface Making {
  readonly dist?: number
  readonly redist?: number
  /** Of redistributors: how many, and where. */
  readonly regions?: readonly (readonly [count: number, base: number])[]
  readonly init?: boolean
}

/** vCPUs with ids 0 to n - 1, or these, and a GICv3 that is as far as said. */
export const inTheMaking = (
  env: Env,
  ids: number | readonly number[],
  { dist, redist, regions = [], init = false }: Making = {},
): CaseVm => {
  const vm = new CaseVm(env)
  for (const id of typeof ids === 'number' ? Array(ids).keys() : ids) vm.must(vm.add(id))
  vm.must(vm.gic(DEVICE_TYPE.V3))
  if (redist !== undefined) vm.must(vm.set(G.ADDR, A.V3_REDIST, redist))
  if (dist !== undefined) vm.must(vm.set(G.ADDR, A.V3_DIST, dist))
  for (const [index, [count, base]] of regions.entries()) vm.must(vm.region(count, base, index))
  return init ? vm.must(vm.initGic()) : vm
}
