/** The forms of what came after Armv8.0: LSE, LRCPC, LOR, pointer authentication, BTI, flag manipulation, SB. */
import type { AddForm } from './forms-simd.ts'

const ZR = 31

/** Sizes of an access by their suffix, register and field. */
const SIZES = [
  ['', 'x', 3],
  ['', 'w', 2],
  ['b', 'w', 0],
  ['h', 'w', 1],
] as const

/** Acquire and release: suffix and fields. */
const ORDERS = [
  ['', 0, 0],
  ['a', 1, 0],
  ['l', 0, 1],
  ['al', 1, 1],
] as const

const ATOMICS = 'LDADD/LDCLR/LDEOR/LDSET/LDSMAX/LDSMIN/LDUMAX/LDUMIN'

function atomicForms(form: AddForm): void {
  for (const [suffix, reg, s] of SIZES)
    for (const [order, a, r] of ORDERS) {
      for (const [c, op] of ['add', 'clr', 'eor', 'set', 'smax', 'smin', 'umax', 'umin'].entries()) {
        // Without the old value it is a store, which cannot acquire.
        if (a === 0) form(`st${op}${order}${suffix}`, ATOMICS, `${reg}:m base:n`, { s, a, r, c, t: ZR })
        form(`ld${op}${order}${suffix}`, ATOMICS, `${reg}:m ${reg}:t base:n`, { s, a, r, c })
      }
      form(`swp${order}${suffix}`, 'SWP', `${reg}:m ${reg}:t base:n`, { s, a, r })
      form(`cas${order}${suffix}`, 'CAS', `${reg}:m ${reg}:t base:n`, { s, a, r })
    }
  for (const [s, reg] of ['w', 'x'].entries())
    for (const [order, a, r] of ORDERS)
      form(`casp${order}`, 'CASP', `${reg}even:m ${reg}odd:m ${reg}even:t ${reg}odd:t base:n`, { s, a, r })
}

function orderedForms(form: AddForm): void {
  for (const [suffix, reg, s] of SIZES) {
    form(`ldlar${suffix}`, 'LDLAR', `${reg}:t base:n`, { s, r: ZR, u: ZR })
    form(`stllr${suffix}`, 'STLLR', `${reg}:t base:n`, { s, r: ZR, u: ZR })
    form(`ldapr${suffix}`, 'LDAPR', `${reg}:t base:n`, { s })
    form(`ldapur${suffix}`, 'LDAPUR/STLUR', `${reg}:t unscaled:ni`, { s, o: 1 })
    form(`stlur${suffix}`, 'LDAPUR/STLUR', `${reg}:t unscaled:ni`, { s, o: 0 })
  }
  for (const [suffix, s] of [
    ['b', 0],
    ['h', 1],
    ['w', 2],
  ] as const) {
    form(`ldapurs${suffix}`, 'LDAPUR/STLUR', 'x:t unscaled:ni', { s, o: 2 })
    if (s < 2) form(`ldapurs${suffix}`, 'LDAPUR/STLUR', 'w:t unscaled:ni', { s, o: 3 })
  }
}

function pauthForms(form: AddForm): void {
  for (const op of ['PAC', 'AUT'])
    for (const [D, kind] of ['i', 'd'].entries())
      for (const [B, key] of ['a', 'b'].entries()) {
        const name = op.toLowerCase()
        form(`${name}${kind}${key}`, `${op}IA/${op}IB/${op}DA/${op}DB`, 'x:d xs:n', { D, B })
        form(`${name}${kind}z${key}`, `${op}IZA/${op}IZB/${op}DZA/${op}DZB`, 'x:d', { D, B })
        if (D === 1) continue
        for (const what of ['1716', 'z', 'sp'])
          form(`${name}i${key}${what}`, `${op}I${key}${what}`.toUpperCase(), '', {})
      }
  for (const [D, kind] of ['i', 'd'].entries()) form(`xpac${kind}`, 'XPACI/XPACD', 'x:d', { D })
  form('xpaclri', 'XPACLRI', '', {})
  form('pacga', 'PACGA', 'x:d x:n xs:m', {})
  for (const [B, key] of ['a', 'b'].entries()) {
    for (const branch of ['BRA', 'BLRA']) {
      const name = branch.toLowerCase().slice(0, -1)
      form(`${name}a${key}`, `${branch}A/${branch}B`, 'x:n xs:m', { B })
      form(`${name}a${key}z`, `${branch}AZ/${branch}BZ`, 'x:n', { B })
    }
    form(`reta${key}`, 'RETAA/RETAB', '', { B })
    form(`ereta${key}`, 'ERETAA/ERETAB', '', { B })
    form(`ldra${key}`, 'LDRAA/LDRAB', 'x:t split10:nsi', { B, w: 0 })
    form(`ldra${key}`, 'LDRAA/LDRAB', 'x:t split10pre:nsi', { B, w: 1 })
  }
}

export function extensionForms(form: AddForm): void {
  atomicForms(form)
  orderedForms(form)
  pauthForms(form)
  form('bti', 'BTI', '?landing:k', { k: 0 })
  form('sb', 'SB', '', {})
  for (const name of ['cfinv', 'xaflag', 'axflag']) form(name, name.toUpperCase(), '', {})
  form('rmif', 'RMIF', 'x:n amount64:i imm4:m', {})
  form('setf8', 'SETF8/SETF16', 'w:n', { s: 0 })
  form('setf16', 'SETF8/SETF16', 'w:n', { s: 1 })
  for (const name of ['cfp', 'dvp', 'cpp']) form(name, 'SYS', 'sysopreg:pnmq x:t', {})
}
