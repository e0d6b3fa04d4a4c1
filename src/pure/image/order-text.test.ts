/** Orders of restoring, written as text and read again. */
import { describe, expect, it } from 'vitest'
import { orderText, parseOrder } from './order-text.ts'
import { ordersFor } from './orders.ts'

const VERSIONS = [2, 3] as const
const KNOWN = VERSIONS.flatMap((version) =>
  Object.entries(ordersFor(version)).map(([id, order]) => ({ version, id, order })),
)

describe('an order', () => {
  it.each(KNOWN)('of $id for a GICv$version is read as it was written', ({ version, order }) => {
    const read = parseOrder(orderText(order), version, order.source)
    expect(read).toEqual({ ok: true, order: { ...order, title: 'an own order' } })
  })

  it('may have comments, blank lines and blanks', () => {
    const text =
      '# mine\n\nvcpus  # first\n  \neach vcpu:\n\tregisters\n   redistributor:   clear  GICR_ISENABLER0 ,GICR_ISENABLER0\n'
    expect(parseOrder(text, 3, 'mine.txt')).toEqual({
      ok: true,
      order: {
        title: 'an own order',
        source: 'mine.txt',
        stages: [
          { do: 'vcpus' },
          {
            do: 'each vcpu',
            parts: [
              { part: 'registers' },
              { part: 'redistributor', writes: [{ clear: 'GICR_ISENABLER0', with: 'ones' }, 'GICR_ISENABLER0'] },
            ],
          },
        ],
      },
    })
  })

  it.each<[2 | 3, string, string]>([
    [3, '\n# nothing\n', 'The order has no stage.'],
    [
      3,
      'vcpus\nirqs',
      'Line 2: "irqs" is no stage; there are vcpus, affinities, gic, its, distributor: …, each vcpu:.',
    ],
    [3, '  registers', 'Line 1: an indented line belongs to an "each vcpu:" before it.'],
    [
      3,
      'each vcpu:\n  pc',
      'Line 2: "pc" is no part of a vCPU; there are redistributor: …, interface: …, registers, power.',
    ],
    [
      2,
      'distributor: GICD_CTLR, GICD_IROUTER',
      'Line 1: "GICD_IROUTER" is not saved of a GICv2\'s distributor; these are: GICD_CTLR, GICD_IIDR, GICD_IGROUPR, ' +
        'GICD_ISENABLER, GICD_ISPENDR, GICD_ISACTIVER, GICD_IPRIORITYR, GICD_ICFGR, GICD_ITARGETSR.',
    ],
    [3, 'distributor:', 'Line 1: "" is not saved of a GICv3\'s distributor; these are: '],
    [3, 'distributor: clear GICD_CTLR', 'Line 1: nothing clears GICD_CTLR: it is written as it is.'],
    [
      3,
      'distributor: clear GICD_ISPENDR with zeroes',
      'Line 1: "with zeroes" says nothing; "with what was saved" would.',
    ],
    [
      3,
      'each vcpu:\n  redistributor: GICR_PROPBASER where 0',
      'Line 2: "where 0" is no condition; there are "where not 0" and "where LPIs".',
    ],
  ])('for a GICv%i that is %j is refused with its line', (version, text, what) => {
    const read = parseOrder(text, version, '')
    expect(read.ok ? 'nothing' : read.what).toContain(what)
  })
})
