/** The identification registers at the end of every PrimeCell's page: one byte of an id in each word. */
export interface PrimeCellId {
  readonly peripheral: number
  readonly cell: number
}

/** The same for every PrimeCell. */
export const PRIMECELL_ID = 0xb105f00d

const PERIPHERAL_ID = 0xfe0
const CELL_ID = 0xff0
const END = 0x1000

/** The word at `offset`, if it is an identification register. */
export const primeCellWord = ({ peripheral, cell }: PrimeCellId, offset: number): number | undefined => {
  if (offset < PERIPHERAL_ID || offset >= END) return undefined
  const id = offset < CELL_ID ? peripheral : cell
  return (id >>> ((offset & 0xc) * 2)) & 0xff
}
