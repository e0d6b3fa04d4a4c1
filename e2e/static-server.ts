/** The plainest of file servers, with no header but the type: what the built page must be content with. */
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const [root = 'dist', prefix = '/', port = '4187'] = process.argv.slice(2)

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const sizeOf = (file: string): number | undefined => {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : undefined
}

createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://here').pathname)
  const inside = path.startsWith(prefix) ? normalize(path.slice(prefix.length)) : undefined
  const file =
    inside === undefined || inside.startsWith('..')
      ? undefined
      : join(root, inside.endsWith(sep) || inside === '.' ? join(inside, 'index.html') : inside)
  const size = file === undefined ? undefined : sizeOf(file)
  if (file === undefined || size === undefined) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': size,
  })
  createReadStream(file).pipe(response)
}).listen(Number(port), '127.0.0.1')
