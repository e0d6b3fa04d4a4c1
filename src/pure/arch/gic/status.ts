/** GICD_STATUSR and GICR_STATUSR: which accesses went wrong (GIC architecture IHI 0069, 12.9 and 12.11). */
import { whether } from '../register.ts'
import type { Field } from '../register.ts'

export const STATUS_FIELDS = [
  { name: 'RRD', lsb: 0, width: 1, text: whether('a reserved register was read', 'no reserved register was read') },
  {
    name: 'WRD',
    lsb: 1,
    width: 1,
    text: whether('a reserved register was written', 'no reserved register was written'),
  },
  {
    name: 'RWOD',
    lsb: 2,
    width: 1,
    text: whether('a write-only register was read', 'no write-only register was read'),
  },
  {
    name: 'WROD',
    lsb: 3,
    width: 1,
    text: whether('a read-only register was written', 'no read-only register was written'),
  },
] as const satisfies readonly Field[]
