/** Numbers in rising order of their coming, that grow at the end and are dropped at the beginning. */
export class Column {
  private values = new Float64Array(256)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Float64Array(2 * this.length)
      wider.set(this.values)
      this.values = wider
    }
    this.values[this.length++] = value
  }

  at(i: number): number {
    return this.values[i] ?? Number.NaN
  }

  set(i: number, value: number): void {
    this.values[i] = value
  }

  dropFirst(count: number): void {
    this.values.copyWithin(0, count, this.length)
    this.length -= count
  }

  /** The first place from `start` on whose value is at least this; the column is sorted. Near places are found at once. */
  from(value: number, start = 0): number {
    let step = 1
    let low = start
    while (low + step < this.length && this.at(low + step - 1) < value) {
      low += step
      step *= 2
    }
    let high = Math.min(this.length, low + step)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.at(middle) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
