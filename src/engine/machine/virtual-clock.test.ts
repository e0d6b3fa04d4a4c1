/** Virtual time moves only by the run loop and by the work a device does; what is due fires in order. */
import { describe, expect, it } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

const make = () => {
  const slice = { ran: 0 }
  const clock = new VirtualClock(() => slice.ran)
  const fired: string[] = []
  const told: number[] = []
  clock.onSchedule = (at) => told.push(at)
  const at = (time: number, name: string) => clock.schedule(time, () => fired.push(name))
  return { clock, slice, fired, told, at }
}

describe('deadlines', () => {
  it('fire in the order of their times, and of their scheduling at the same time', () => {
    const { clock, fired, at } = make()
    const times = [7, 3, 9, 3, 1, 8, 3, 2]
    for (const [i, time] of times.entries()) at(time, `${time}.${i}`)
    clock.advance(8)
    clock.fireDue()
    expect(fired).toEqual(['1.4', '2.7', '3.1', '3.3', '3.6', '7.0', '8.5'])
    expect(clock.next()).toBe(9)
  })

  it('that are cancelled do not fire and are not waited for', () => {
    const { clock, fired, at } = make()
    const cancel = at(1, 'cancelled')
    at(2, 'kept')
    cancel()
    expect(clock.next()).toBe(2)
    clock.advance(5)
    clock.fireDue()
    expect(fired).toEqual(['kept'])
    expect(clock.next()).toBe(Infinity)
  })

  it('that are far and cancelled take no room, and those among them fire in order', () => {
    const { clock, fired, at } = make()
    for (let i = 0; i < 100_000; i++) {
      const cancel = at(1e12 + i, 'far')
      if (i % 10_000 === 0) at(20 - i / 10_000, `kept ${i / 10_000}`)
      cancel()
    }
    expect(clock.size).toBeLessThan(1000)
    clock.advance(100)
    clock.fireDue()
    expect(fired).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((i) => `kept ${i}`))
    expect(clock.next()).toBe(Infinity)
  })

  it('scheduled by one that fires, and due already, fire in the same go', () => {
    const { clock, fired, at } = make()
    clock.schedule(1, () => at(2, 'second'))
    clock.advance(2)
    clock.fireDue()
    expect(fired).toEqual(['second'])
  })
})

describe('time spent by a device', () => {
  it('passes at once, on top of what the running CPU has used of its slice', () => {
    const { clock, slice } = make()
    clock.advance(100)
    slice.ran = 30
    clock.spend(50)
    expect(clock.now()).toBe(180)
  })

  it('ends the slice of the running CPU where it is, and makes due what it passed', () => {
    const { clock, fired, told, at } = make()
    at(40, 'timer')
    told.length = 0
    clock.spend(50)
    expect(told).toEqual([50])
    clock.fireDue()
    expect(fired).toEqual(['timer'])
  })

  it('is none where there was no work', () => {
    const { clock, told } = make()
    clock.spend(0)
    expect(clock.now()).toBe(0)
    expect(told).toEqual([])
  })
})
