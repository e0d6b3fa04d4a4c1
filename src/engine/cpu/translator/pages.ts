/** The pages that a region has instructions of. */
import { record } from '../layout.ts'

/** More than the calls of a function lead to is not worth keeping track of. */
const MAX_PAGES = 8

/**
 * The page of a region's root, and pages at known distances from it in virtual addresses. Instructions are numbered from the
 * first of the root's page on, so that their addresses follow from their numbers; those before it have negative numbers.
 */
export class Pages {
  /** Addresses of first records, by distance in pages. */
  private readonly found: Map<number, number>
  private lookUp: ((distance: number) => number | undefined) | undefined

  /** `root`: address of the first record of the root's page. `lookUp`: the same for pages at a distance, if known. */
  constructor(root: number, lookUp?: (distance: number) => number | undefined) {
    this.found = new Map([[0, root]])
    this.lookUp = lookUp
  }

  /** No page is found any more. */
  seal(): this {
    this.lookUp = undefined
    return this
  }

  private at(distance: number): number | undefined {
    const known = this.found.get(distance)
    if (known !== undefined || this.lookUp === undefined || this.found.size === MAX_PAGES) return known
    const page = this.lookUp(distance)
    if (page !== undefined) this.found.set(distance, page)
    return page
  }

  /** Whether the page of an instruction is known. */
  has(index: number): boolean {
    return this.at(distanceOf(index)) !== undefined
  }

  /** Address of the first record of an instruction's page. */
  pageOf(index: number): number {
    const page = this.at(distanceOf(index))
    if (page === undefined) throw new Error(`no page of the region has instruction ${index}`)
    return page
  }

  recordOf(index: number): number {
    return this.pageOf(index) + inPage(index) * record.SIZE
  }

  /** How far from the root's page one of these pages lies. */
  distanceTo(page: number): number | undefined {
    for (const [distance, at] of this.found) if (at === page) return distance
    return undefined
  }
}

/** How many pages behind the root's the page of an instruction lies. */
export const distanceOf = (index: number): number => Math.floor(index / record.PER_PAGE)
/** The number of an instruction in its own page. */
export const inPage = (index: number): number => index - distanceOf(index) * record.PER_PAGE
