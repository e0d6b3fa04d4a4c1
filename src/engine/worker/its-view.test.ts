import { describe, expect, it } from 'vitest'
import { machineUpdate, mergeMachine } from '../../pure/protocol/views.ts'
import { TestIts } from '../../testing/its/test-its.ts'
import type { MachineInspection } from '../vmm/vmm.ts'
import { Publisher } from './publisher.ts'

const inspect = (t: TestIts, virtualNs = 0): MachineInspection => ({
  virtualNs,
  cpus: [],
  frames: [],
  spis: [],
  gicdCtlr: 0,
  gicdTyper: 0,
  ...t.kvm.devices.inspectIts(),
})

describe("the page's view of an ITS", () => {
  it('has what the guest mapped, and comes again when that changed', () => {
    const t = new TestIts()
    t.configure(8192)
    t.mapDevice(7).mapCollection(3, 1).mapEvent(7, 2, 8192, 3).mapEvent(7, 4, 8193, 9)
    const publisher = new Publisher()
    publisher.restart(1)
    const first = publisher.update(inspect(t))
    expect(first && machineUpdate.safeParse(first).success).toBe(true)
    expect(first?.its).toMatchObject({
      units: [{ base: 0x0808_0000, enabled: true, quiescent: true, deviceCount: 1, translationCount: 2 }],
      devices: [{ its: 0, id: 7, eventBits: 5, events: 2 }],
      collections: [
        { its: 0, id: 3, cpu: 1 },
        { its: 0, id: 9, cpu: undefined },
      ],
      translations: [
        { its: 0, device: 7, event: 2, intid: 8192, collection: 3 },
        { its: 0, device: 7, event: 4, intid: 8193, collection: 9 },
      ],
      lpis: [
        { intid: 8192, enabled: true, pending: false, priority: 0x80, target: 1, mappings: 1 },
        { intid: 8193, enabled: false, pending: false, target: undefined },
      ],
    })
    expect(publisher.update(inspect(t))).toBeUndefined()
    t.msi(7, 2)
    const second = publisher.update(inspect(t))
    expect(second?.its?.lpis[0]?.pending).toBe(true)
    const view = first && second && mergeMachine(mergeMachine(undefined, first), { ...second, its: undefined })
    expect(view?.its).toBe(first?.its)
  })

  it('is not there without one', () => {
    const none = { ...inspect(new TestIts()), its: [], lpis: [] }
    const publisher = new Publisher()
    publisher.restart(1)
    expect(publisher.update(none)?.its).toBeUndefined()
  })

  it('shows the first thousand of many, and how many there are', () => {
    const t = new TestIts()
    t.mapDevice(0, 16).mapCollection(0, 0)
    for (let event = 0; event < 1200; event++) t.mapEvent(0, event, 8192 + event, 0)
    const [its] = t.kvm.devices.inspectIts().its
    expect([its?.translations.length, its?.translationCount, t.kvm.devices.inspectIts().lpis.length]).toEqual([
      1000, 1200, 1000,
    ])
  })
})
