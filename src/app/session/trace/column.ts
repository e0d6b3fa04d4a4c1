/** Numbers in rising order of their coming, that grow at the end and are dropped at the beginning. */
export class Column {
  private values = new Float64Array(256)
  /** What was dropped still lies before this place, until it is half of all: so each number is moved few times. */
  private head = 0
  length = 0

  push(value: number): void {
    const end = this.head + this.length
    if (end === this.values.length) this.moveTo(new Float64Array(2 * end))
    this.values[this.head + this.length++] = value
  }

  at(i: number): number {
    return this.values[this.head + i] ?? Number.NaN
  }

  set(i: number, value: number): void {
    this.values[this.head + i] = value
  }

  dropFirst(count: number): void {
    this.head += count
    this.length -= count
    if (this.head > this.values.length / 2) this.moveTo(this.values)
  }

  private moveTo(room: Float64Array<ArrayBuffer>): void {
    room.set(this.values.subarray(this.head, this.head + this.length))
    this.values = room
    this.head = 0
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
