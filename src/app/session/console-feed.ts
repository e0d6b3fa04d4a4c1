/** The guest's console, for whoever shows it: what came before is told to those who come later. */

const KEPT = 1 << 20
const TAIL = 64
const latin1 = new TextDecoder('latin1')

export interface ConsoleFeed {
  push(bytes: Uint8Array): void
  /** A new machine: the screen starts empty. */
  clear(): void
  listen(hear: (bytes: Uint8Array | 'clear') => void): () => void
  /** Calls once, when the console prints this text. */
  await(text: string, found: () => void): void
}

export const createConsoleFeed = (): ConsoleFeed => {
  const hearers = new Set<(bytes: Uint8Array | 'clear') => void>()
  let kept: Uint8Array[] = []
  let length = 0
  let tail = ''
  let awaited: { text: string; found: () => void } | undefined

  const look = (bytes: Uint8Array): void => {
    if (awaited === undefined) return
    tail += latin1.decode(bytes)
    if (tail.includes(awaited.text)) {
      const { found } = awaited
      awaited = undefined
      found()
    }
    tail = tail.slice(-TAIL)
  }

  return {
    push: (bytes) => {
      kept.push(bytes)
      length += bytes.length
      while (length > KEPT) length -= kept.shift()?.length ?? length
      for (const hear of hearers) hear(bytes)
      look(bytes)
    },
    clear: () => {
      kept = []
      length = 0
      tail = ''
      awaited = undefined
      for (const hear of hearers) hear('clear')
    },
    listen: (hear) => {
      hearers.add(hear)
      for (const bytes of kept) hear(bytes)
      return () => hearers.delete(hear)
    },
    await: (text, found) => {
      awaited = { text, found }
    },
  }
}
