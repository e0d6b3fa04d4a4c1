/** What Node has behind switches. */
import { setFlagsFromString } from 'node:v8'

/** Another V8 has no switches for it, or would complain of one that it does not know. */
const NODE_20 = '11.3.'

/**
 * Has Node 20 do what browsers do: heed the branch hints that keep slow paths out of the way, with which loops that access
 * memory are a third faster, and know fused multiply-add. To be called before anything is compiled.
 */
export function enableWebAssemblyFeatures(): void {
  if (!process.versions.v8.startsWith(NODE_20)) return
  for (const feature of ['branch-hinting', 'relaxed-simd']) setFlagsFromString(`--experimental-wasm-${feature}`)
}
