import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { readCompatibilityDate } from '../dev/bundle.ts'
import { LOOPBACK } from '../dev/listen.ts'

/** A program that listens. */
export interface Running {
  pid: number
  url: string
  close(): Promise<void>
}

export interface WorkerOptions {
  /** The built Worker, one module. */
  script: string
  vars: Record<string, string>
  /** The number of isolates, each with a socket of its own. Default: 1. */
  isolates?: number
  /** Whether to show the log of the Worker. Default: `inherit`. */
  output?: 'inherit' | 'ignore'
}

export interface Workerd extends Running {
  /** The origin of each isolate. `url` is the first one. */
  urls: string[]
}

/** The path of the binary for this machine, the default export of the package. */
const binary = () => v.parse(v.object({ default: v.string() }), createRequire(import.meta.url)('workerd')).default

const LISTENS = v.object({ event: v.literal('listen'), port: v.number() })

const quote = (text: string) => JSON.stringify(text)
const toList = (entries: string[]) => `[\n${entries.map((entry) => `    ${entry},\n`).join('')}  ]`

/** The smallest configuration (workerd.capnp), without the Workers that wrangler and miniflare add. */
const createConfiguration = (vars: Record<string, string>, date: string, isolates: number) => {
  const names = Array.from({ length: isolates }, (_, index) => `main-${index}`)
  const bindings = Object.entries(vars).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`)
  const services = [
    ...names.map((name) => `(name = "${name}", worker = .program)`),
    '(name = "internet", network = (allow = ["public", "private", "local"]))',
  ]
  const sockets = names.map((name) => `(name = "${name}", address = "${LOOPBACK}:0", http = (), service = "${name}")`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = ${toList(services)},
  sockets = ${toList(sockets)},
);
const program :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${quote(date)},
  bindings = ${toList(bindings)},
);
`
}

/** Waits until `count` sockets listen. workerd reports their ports on its control descriptor. */
const awaitPorts = (child: ChildProcess, count: number): Promise<number[]> =>
  new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`workerd exited with code ${code}.`)))
    const control = child.stdio[3]
    let text = ''
    control?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const lines = text.split('\n').slice(0, -1)
      if (lines.length >= count) resolve(lines.map((line) => v.parse(LISTENS, JSON.parse(line)).port))
    })
  })

const writeConfiguration = async ({ script, vars, isolates = 1 }: WorkerOptions) => {
  const folder = await mkdtemp(join(tmpdir(), 'broker-bench-'))
  await writeFile(join(folder, 'worker.js'), script)
  const file = join(folder, 'config.capnp')
  await writeFile(file, createConfiguration(vars, await readCompatibilityDate(), isolates), { mode: 0o600 })
  return { file, remove: () => rm(folder, { recursive: true, force: true }) }
}

// A failed run must not leave a process behind.
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs one Worker in `workerd serve`. */
export const startWorkerd = async (options: WorkerOptions): Promise<Workerd> => {
  const { file, remove } = await writeConfiguration(options)
  const child = spawn(binary(), ['serve', '--control-fd=3', file], {
    stdio: ['ignore', 'ignore', options.output ?? 'inherit', 'pipe'],
  })
  running.add(child)
  const exit = once(child, 'exit')
  const urls = (await awaitPorts(child, options.isolates ?? 1)).map((port) => `http://${LOOPBACK}:${port}`)
  const [url] = urls
  if (child.pid === undefined || url === undefined) throw new Error('workerd has no process.')
  return {
    pid: child.pid,
    url,
    urls,
    close: async () => {
      child.kill()
      await exit
      running.delete(child)
      await remove()
    },
  }
}
