/**
 * What `npm run profile` counts beside the time: calls out of compiled code, and how the interpreter's regions end. A
 * machine without a meter runs code in which nothing of this is.
 */
import type { Code } from '../wasm/code.ts'
import { REGION_RESULT } from './translator/region-result.ts'
import { scratch } from './layout.ts'

/** How a region that the interpreter entered came back. */
const REGION_ENDS = ['elsewhere', 'driver', 'instruction', 'record'] as const
type RegionEnd = (typeof REGION_ENDS)[number]

/** 64-bit counters in memory, from `scratch.METER` on; `LEFT`: instructions that were left when the region was entered. */
const COUNTERS = ['left', 'instructions', ...REGION_ENDS] as const
const counterAt = (name: (typeof COUNTERS)[number]): number => scratch.METER + 8 * COUNTERS.indexOf(name)

export interface MeterReading {
  /** Calls from WebAssembly, by the caller's tier and the name of the import. */
  readonly calls: ReadonlyMap<string, number>
  /** Instructions that ran in regions. */
  readonly translated: number
  /** Regions that the interpreter entered, by how they came back. */
  readonly regionEnds: Readonly<Record<RegionEnd, number>>
}

type Imported = WebAssembly.Memory | WebAssembly.Table | ((...args: never[]) => unknown)

export class Meter {
  private readonly calls = new Map<string, number>()
  private readonly counters: BigInt64Array

  constructor(buffer: ArrayBuffer) {
    this.counters = new BigInt64Array(buffer)
  }

  /** The same imports; each call of a function is counted. */
  counted(caller: string, imports: Readonly<Record<string, Imported>>): Record<string, Imported> {
    const count = (name: string, f: Imported): Imported => {
      if (typeof f !== 'function') return f
      const key = `${caller}: ${name}`
      return (...args: never[]) => {
        this.calls.set(key, (this.calls.get(key) ?? 0) + 1)
        return f(...args)
      }
    }
    return Object.fromEntries(Object.entries(imports).map(([name, f]) => [name, count(name, f)]))
  }

  /** These instructions of the budget are taken away, and were not run. */
  heldBack(instructions: number): void {
    const left = counterAt('left') >>> 3
    this.counters[left] = (this.counters[left] ?? 0n) - BigInt(instructions)
  }

  read(): MeterReading {
    const value = (name: (typeof COUNTERS)[number]): number => Number(this.counters[counterAt(name) >>> 3] ?? 0n)
    return {
      calls: this.calls,
      translated: value('instructions'),
      regionEnds: {
        elsewhere: value('elsewhere'),
        driver: value('driver'),
        instruction: value('instruction'),
        record: value('record'),
      },
    }
  }
}

/** Before a region is entered with this budget (a local). */
export function emitRegionEntered(c: Code, budget: number): void {
  c.i32(0)
  c.get(budget)
  c.op('i64.extend_i32_u')
  c.memory('i64.store', counterAt('left'))
}

/** After it came back; locals: the budget that is left, and what it answered. */
export function emitRegionLeft(c: Code, budget: number, result: number): void {
  const add = (name: (typeof COUNTERS)[number], push: () => void): void => {
    c.i32(0)
    c.i32(0)
    c.memory('i64.load', counterAt(name))
    push()
    c.op('i64.add')
    c.memory('i64.store', counterAt(name))
  }
  add('instructions', () => {
    c.i32(0)
    c.memory('i64.load', counterAt('left'))
    c.get(budget)
    c.op('i64.extend_i32_u')
    c.op('i64.sub')
  })
  const is = (name: RegionEnd, push: () => void): void =>
    add(name, () => {
      push()
      c.op('i64.extend_i32_u')
    })
  const equals = (value: number) => (): void => {
    c.get(result)
    c.i32(value)
    c.op('i32.eq')
  }
  /** An address of a record, with this bit or without. */
  const isRecord = (bit: number) => (): void => {
    c.get(result)
    c.i32(REGION_RESULT.LEAVE)
    c.op('i32.gt_u')
    c.get(result)
    c.i32(REGION_RESULT.INTERPRET)
    c.op('i32.and')
    c.i32(bit)
    c.op('i32.eq')
    c.op('i32.and')
  }
  is('elsewhere', equals(REGION_RESULT.TARGET))
  is('driver', equals(REGION_RESULT.LEAVE))
  is('instruction', isRecord(REGION_RESULT.INTERPRET))
  is('record', isRecord(0))
}
