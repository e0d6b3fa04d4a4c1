/** A machine that goes on from a snapshot. */
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { settleLevels } from '../../pure/image/levels.ts'
import type { Order } from '../../pure/image/order.ts'
import { ordersFor } from '../../pure/image/orders.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { attachDevices, frameOf } from './board.ts'
import type { DeviceOptions, FrameOptions } from './board.ts'
import type { Snapshot } from './snapshot.ts'
import { finish, incomplete } from './vmm.ts'
import type { Made } from './vmm.ts'

export interface RestoreOptions extends Omit<FrameOptions, 'blueprint'>, Pick<DeviceOptions, 'onConsole'> {
  readonly snapshot: Snapshot
  /** Where it goes on, where that is another place: rule set, base and host of another blueprint. */
  readonly onto?: Pick<Blueprint, 'ruleSet' | 'base' | 'host'>
  /** In which order. Default: as KVM's documentation has it. */
  readonly order?: Order
}

/** Goes on with a saved machine, or says at which register KVM refused it. */
export function restoreVmm(o: RestoreOptions): Made {
  const { snapshot } = o
  const blueprint: Blueprint = { ...snapshot.blueprint, ...o.onto }
  const frame = frameOf({ ...o, blueprint })
  if (typeof frame === 'string') return { ok: false, what: frame }
  const { machine, kvm, calls } = frame
  machine.startAt(snapshot.run.now)
  machine.ram(memoryMap.ram.base, snapshot.ram.length)?.set(snapshot.ram)
  const answer = restore(
    (call) => {
      const given = kvm.execute(call)
      calls.push({ call, answer: given })
      return given
    },
    restorePlan(snapshot.image, o.order ?? ordersFor(snapshot.image.gic.version).documented),
  )
  if (!answer.ok)
    return { ok: false, what: `The snapshot cannot be restored here: ${stopText(answer)}`, calls, stop: answer }
  const missing = incomplete(kvm, blueprint)
  if (missing !== undefined) return { ok: false, what: `The snapshot cannot be restored so: ${missing}` }
  const devices = attachDevices(frame, o)
  for (const [name, device] of Object.entries(devices)) {
    const state = snapshot.devices[name]
    if (state === undefined) return { ok: false, what: `The snapshot has no state of the ${name}.` }
    try {
      device.restoreState(state)
    } catch (error) {
      return { ok: false, what: `The snapshot's ${name}: ${error instanceof Error ? error.message : String(error)}.` }
    }
  }
  settleLevels((call) => kvm.execute(call), snapshot.image.gic, snapshot.image.vcpus)
  const made = finish(frame, blueprint, devices)
  if (made.ok) machine.restoreRunState(snapshot.run)
  return made
}
