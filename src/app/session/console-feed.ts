/** The guest's console, for whoever shows it: what came before is told to those who come later. */

const KEPT = 1 << 20
const TAIL = 64
const latin1 = new TextDecoder('latin1')

export interface ConsoleFeed {
  push(bytes: Uint8Array): void
  /** A new machine: the screen starts empty. */
  clear(): void
  listen(hear: (bytes: Uint8Array | 'clear') => void): () => void
  /** Calls for each of these texts, once, in their order; what comes before in the list is passed over with it. */
  follow(texts: readonly string[], found: (place: number) => void): void
}

export const createConsoleFeed = (): ConsoleFeed => {
  const hearers = new Set<(bytes: Uint8Array | 'clear') => void>()
  let kept: Uint8Array[] = []
  let length = 0
  let tail = ''
  let followed: { texts: readonly string[]; from: number; found: (place: number) => void } | undefined

  const look = (bytes: Uint8Array): void => {
    if (followed === undefined) return
    tail += latin1.decode(bytes)
    for (let place = followed.texts.length - 1; place >= followed.from; place--) {
      if (!tail.includes(followed.texts[place] ?? '')) continue
      const { found, texts } = followed
      followed = place === texts.length - 1 ? undefined : { ...followed, from: place + 1 }
      found(place)
      break
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
      followed = undefined
      for (const hear of hearers) hear('clear')
    },
    listen: (hear) => {
      hearers.add(hear)
      for (const bytes of kept) hear(bytes)
      return () => hearers.delete(hear)
    },
    follow: (texts, found) => {
      followed = { texts, from: 0, found }
    },
  }
}
