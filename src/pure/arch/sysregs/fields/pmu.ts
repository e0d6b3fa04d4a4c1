/** What the bits of the performance monitors mean (Arm ARM D24.5, by the registers' names; the events D11.11). */
import type { Field } from '../../register.ts'
import { COMMON_EVENTS, CYCLE_COUNTER, EVENT_COUNTERS } from '../pmu.ts'
import { bit, part } from './parts.ts'

const eventText = (value: bigint): string => COMMON_EVENTS[Number(value)] ?? `event 0x${value.toString(16)}`

/** A bit for each counter. */
const perCounter = (cycles: boolean, set: string, clear: string): readonly Field[] => [
  ...(cycles ? [bit('C', CYCLE_COUNTER, `cycle counter: ${set}`, `cycle counter: ${clear}`)] : []),
  ...Array.from({ length: EVENT_COUNTERS }, (_, n) =>
    bit(`P${n}`, n, `counter ${n}: ${set}`, `counter ${n}: ${clear}`),
  ),
]
const enabled = perCounter(true, 'enabled', 'disabled')
const overflowed = perCounter(true, 'has overflowed', 'has not overflowed')
const interrupts = perCounter(true, 'an overflow interrupts', 'an overflow does not interrupt')

/** Which levels are counted; NSK, NSU, NSH, M and SH filter what levels beside EL1 and EL0 do. */
const filters: readonly Field[] = [
  bit('P', 31, 'EL1 is not counted', 'EL1 is counted'),
  bit('U', 30, 'EL0 is not counted', 'EL0 is counted'),
  bit('NSK', 29),
  bit('NSU', 28),
  bit('NSH', 27),
  bit('M', 26),
  bit('SH', 24),
]
const eventType: readonly Field[] = [...filters, bit('MT', 25), part('evtCount', 0, 10, eventText)]

const eventCount: readonly Field[] = [part('EVCNT', 0, 32, (value) => `${value}`)]

/** 32 of the common events, from number `first` on: which of them there are. */
const eventsThere = (first: number): readonly Field[] =>
  Array.from({ length: 32 }, (_, n) =>
    bit(
      `ID${first + n}`,
      n,
      `${eventText(BigInt(first + n))} is counted`,
      `${eventText(BigInt(first + n))} is not counted`,
    ),
  )

export const PMU_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  PMCR_EL0: [
    bit('E', 0, 'counters count', 'counters stand still'),
    bit('P', 1, 'sets the event counters to 0', 'leaves the event counters'),
    bit('C', 2, 'sets the cycle counter to 0', 'leaves the cycle counter'),
    bit('D', 3, 'every 64th cycle is counted', 'every cycle is counted'),
    bit('X', 4, 'events are exported', 'events are not exported'),
    bit('DP', 5, 'no cycles where counting is prohibited', 'cycles also where counting is prohibited'),
    bit('LC', 6, 'the cycle counter overflows at 64 bits', 'the cycle counter overflows at 32 bits'),
    bit('LP', 7, 'event counters overflow at 64 bits', 'event counters overflow at 32 bits'),
    part('N', 11, 5, (value) => `${value} event counters`),
    part('IDCODE', 16, 8),
    part('IMP', 24, 8, (value) => (value === 0x41n ? 'Arm' : `0x${value.toString(16)}`)),
  ],
  PMUSERENR_EL0: [
    bit('EN', 0, 'EL0 may have all of them', 'EL0 may have what the other bits allow'),
    bit('SW', 1, 'EL0 may write PMSWINC_EL0', 'EL0 is trapped at PMSWINC_EL0'),
    bit('CR', 2, 'EL0 may read the cycle counter', 'EL0 is trapped at the cycle counter'),
    bit('ER', 3, 'EL0 may read the event counters', 'EL0 is trapped at the event counters'),
  ],
  PMCNTENSET_EL0: enabled,
  PMCNTENCLR_EL0: enabled,
  PMOVSSET_EL0: overflowed,
  PMOVSCLR_EL0: overflowed,
  PMINTENSET_EL1: interrupts,
  PMINTENCLR_EL1: interrupts,
  PMSWINC_EL0: perCounter(false, 'counts one SW_INCR', 'as it is'),
  PMSELR_EL0: [part('SEL', 0, 5, (value) => (value === BigInt(CYCLE_COUNTER) ? 'PMCCFILTR_EL0' : `counter ${value}`))],
  PMCEID0_EL0: eventsThere(0),
  PMCEID1_EL0: eventsThere(32),
  PMCCNTR_EL0: [part('CCNT', 0, 64, (value) => `${value} cycles`)],
  PMXEVCNTR_EL0: eventCount,
  PMEVCNTR_EL0: eventCount,
  PMXEVTYPER_EL0: eventType,
  PMEVTYPER_EL0: eventType,
  PMCCFILTR_EL0: filters,
}
