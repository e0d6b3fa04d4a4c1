// What every host of the engine provides (browser worker, Node), and no more: `pure` and `engine`
// compile without the DOM library, so that nothing else of a page can be named there.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    readonly exports: Record<string, unknown>
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
  }
  class Memory {
    readonly buffer: ArrayBuffer
    constructor(descriptor: { initial: number; maximum?: number })
  }
  class Table {
    readonly length: number
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number })
    get(index: number): unknown
    set(index: number, value: unknown): void
  }
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean })
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string
}
