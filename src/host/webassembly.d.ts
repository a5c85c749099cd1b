/** What Node has of it (WebAssembly JavaScript interface 1.0); the types of Node leave it to those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    readonly exports: Record<string, unknown>
    constructor(module: Module)
  }
}
