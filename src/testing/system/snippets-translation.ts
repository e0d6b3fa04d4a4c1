/** What is compared of address translation: accesses to pages of every kind, AT instructions, granules. */
import type { Snippet } from './probe.ts'
import { PAGES } from './probe.ts'
import { el1 } from './snippet-levels.ts'

const accessAt = (name: string, access: string): Snippet => ({
  name: `${access} at ${name}`,
  code: `ldr x9, =${name}\n${access}`,
})

const pages = [
  ...Object.keys(PAGES),
  'block',
  'no_block',
  'data',
  '0x0000010000000000',
  '0xffffff8000000000',
  '0x0000008000000000',
  '0x7f00000040210000',
]

const accesses = [
  'ldr x0, [x9]',
  'str xzr, [x9]',
  'ldtr x0, [x9]',
  'sttr xzr, [x9]',
  'ldrb w0, [x9, #7]',
  'ldp x0, x1, [x9]',
]

const faults = pages.flatMap((page) => accesses.map((access) => accessAt(page, access)))

const addressTranslations = pages.flatMap((page) =>
  ['s1e1r', 's1e1w', 's1e0r', 's1e0w'].map((kind) =>
    el1(`at ${kind} of ${page}`, `ldr x9, =${page}\nat ${kind}, x9\nisb\nmrs x0, par_el1`),
  ),
)

/**
 * With tables of another granule: RAM by a block, and at 0x80000000 pages of which the first is read-only, the second for
 * EL1, the third invalid. A level 2 table of 64 KiB granules covers 39 bits; 16 KiB granules need one of level 1 before it.
 */
const GRANULES = [
  { name: '64 KiB', tg: 1, log2: 16, tables: 'mov x12, x10\n', ram: 2, pages: 4 },
  {
    name: '16 KiB',
    tg: 2,
    log2: 14,
    tables: 'add x12, x10, #0x10000\norr x13, x12, #3\nstr x13, [x10]\n',
    ram: 32,
    pages: 64,
  },
] as const

const granules = GRANULES.flatMap(({ name, tg, log2, tables, ram, pages: at }) =>
  [
    ['a load', 0, 'ldr x0, [x9]'],
    ['a store to a read-only page', 0, 'str x0, [x9]'],
    ['a store', 1, 'str x0, [x9]\nldr x0, [x9]'],
    ['a load from an invalid page', 2, 'ldr x0, [x9, #8]'],
    ['LDTR', 1, 'ldtr x0, [x9]'],
    ['AT S1E1R', 1, 'at s1e1r, x9\nisb\nmrs x0, par_el1'],
    ['AT S1E1W of a read-only page', 0, 'at s1e1w, x9\nisb\nmrs x0, par_el1'],
    ['AT of an invalid page', 2, 'at s1e1r, x9\nisb\nmrs x0, par_el1'],
    ['across two pages', 1, `sub x9, x9, #4\nldr x0, [x9]`],
    ['a block', 0, 'ldr x9, =data\nat s1e1w, x9\nisb\nmrs x0, par_el1'],
  ].map(([what, page, access]) =>
    el1(
      `granule of ${name}, ${what}`,
      `
  ldr x10, =0x40400000
  ${tables}
  ldr x13, =0x40000701
  str x13, [x12, #${8 * ram}]
  ldr x11, =0x40440000
  orr x13, x11, #3
  str x13, [x12, #${8 * at}]
  ldr x13, =0x0060000040600783
  str x13, [x11]
  ldr x13, =0x0060000040600703
  str x13, [x11, #8]
  str xzr, [x11, #16]
  bic x13, x25, #(3 << 14)
  orr x13, x13, #(${tg} << 14)
  bic x14, x26, #1
  msr sctlr_el1, x14
  isb
  msr tcr_el1, x13
  msr ttbr0_el1, x10
  isb
  tlbi vmalle1
  dsb sy
  msr sctlr_el1, x26
  isb
  ldr x9, =${0x8000_0000 + Number(page) * 2 ** log2}
  ${access}`,
    ),
  ),
)

export const TRANSLATION: readonly Snippet[] = [...granules, ...faults, ...addressTranslations]
