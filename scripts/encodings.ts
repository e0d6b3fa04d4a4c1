/**
 * `npm run encodings -- --samples N --seed S`: random words of every row, and as many random words whatever they are,
 * compared with GNU binutils. Exit status: 0 the same but for the listed differences, 1 something differs, 2 usage.
 */
import { parseArgs } from 'node:util'
import { rows } from '../src/pure/arch/a64/rows/index.ts'
import { anyWords, compare, wordsOfRows } from '../src/testing/encodings/compare.ts'
import { Random } from '../src/testing/oracle/operands.ts'
import { missingBinutils } from '../src/testing/oracle/run-instruction.ts'

const BATCH = 50_000
const SHOWN = 60

const { values } = parseArgs({
  options: { samples: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const [samples, seed] = [Number(values.samples), Number(values.seed)]
const missing = missingBinutils()
if (!Number.isFinite(samples) || !Number.isFinite(seed) || missing.length > 0) {
  console.error(missing.length > 0 ? `This needs ${missing.join(', ')}.` : 'npm run encodings -- --samples N --seed S')
  process.exit(2)
}
const random = new Random(seed)
const wrong: string[] = []
const met = new Set<string>()
let done = 0
while (done < samples && wrong.length < SHOWN) {
  const size = Math.min(BATCH, samples - done)
  const half = Math.ceil(size / 2)
  for (const words of [wordsOfRows(random, half), anyWords(random, size - half)]) {
    const found = compare(words)
    done += found.samples
    wrong.push(...found.wrong)
    for (const row of found.rows) met.add(row.name)
  }
}
for (const line of wrong.slice(0, SHOWN)) console.log(line)
console.log(`Seed ${seed}: ${done} samples, rows hit ${met.size} of ${rows.length}, ${wrong.length} differences`)
process.exitCode = wrong.length === 0 ? 0 : 1
