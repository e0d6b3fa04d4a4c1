/** The same run once more, to any of its moments. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { filesOf } from '../../testing/guest-machine.ts'
import { restoreVmm } from '../vmm/restore-vmm.ts'
import { parseSnapshot } from '../vmm/snapshot.ts'
import { createVmm } from '../vmm/vmm.ts'
import { Host } from './host.ts'

const BLUEPRINT = { ...defaultBlueprint, vcpus: 2, memory: 64 * 2 ** 20, guest: { id: 'gicsh', append: '' } } as const
const MOMENT = 700_001

describe('a machine that is run again', { timeout: 60_000 }, () => {
  const host = (speed = 1) => {
    let date = 1000
    const states: string[] = []
    const live = new Host({
      create: createVmm,
      restore: restoreVmm,
      now: () => performance.now() * speed,
      date: () => (date += 60),
      post: (message) => {
        if (message.kind === 'run') states.push(message.run.state)
      },
    })
    const stopped = (): Uint8Array => {
      for (let i = 0; i < 10_000 && states.at(-1) === 'running'; i++) live.advance()
      const saved = live.handle({ command: 'snapshot' })
      if (!saved.ok || !('file' in saved)) throw new Error('no snapshot')
      return saved.file
    }
    return { live, stopped }
  }

  const build = (live: Host): void => {
    live.handle({ command: 'keepFile', name: 'gicsh', bytes: filesOf('gicsh').kernel })
    live.handle({
      command: 'build',
      blueprint: BLUEPRINT,
      guest: { kernel: 'gicsh', append: '' },
      engine: 'translator',
      run: false,
    })
  }

  it('is the same to the bit at a moment of the run before, on another day and with other input since', () => {
    const { live, stopped } = host()
    build(live)
    live.handle({ command: 'runTo', until: MOMENT })
    const first = stopped()
    live.handle({ command: 'input', bytes: new TextEncoder().encode('sgi 3 all\r') })
    live.handle({ command: 'runTo', until: 4 * MOMENT })
    expect(stopped()).not.toEqual(first)
    expect(live.handle({ command: 'rerun', until: MOMENT })).toMatchObject({ ok: true })
    expect(stopped()).toEqual(first)
  })

  it('does not wait for the time that its CPUs wait', () => {
    const { live, stopped } = host(0)
    build(live)
    // No time passes on this wall: a run would wait for ever.
    live.handle({ command: 'rerun', until: 1e12 })
    const read = parseSnapshot(stopped())
    expect(read.ok && read.snapshot.run.now).toBe(1e12)
  })

  it('has to have been built here', () => {
    const { live } = host()
    expect(live.handle({ command: 'rerun', until: MOMENT })).toEqual({
      ok: false,
      what: 'There is no machine yet: boot one first.',
    })
  })
})
