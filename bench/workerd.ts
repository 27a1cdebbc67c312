import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { compatibilityDate } from '../dev/bundle.ts'
import { LOOPBACK } from '../dev/listen.ts'

export interface Running {
  pid: number
  url: string
  close(): Promise<void>
}

export interface WorkerOptions {
  /** The built Worker, one module. */
  script: string
  vars: Record<string, string>
  /** How many isolates of the same Worker, each behind a socket of its own. */
  isolates?: number
  /** Whether what the Worker logs is shown; so it is if absent. */
  output?: 'inherit' | 'ignore'
}

export interface Workerd extends Running {
  /** The address of each isolate; `url` is the first one's. */
  urls: string[]
}

/** The package's default export is the path of the binary for this machine; loaders differ in where they put it. */
const binary = () => v.parse(v.object({ default: v.string() }), createRequire(import.meta.url)('workerd')).default

const LISTENS = v.object({ event: v.literal('listen'), port: v.number() })

const quoted = (text: string) => JSON.stringify(text)
const list = (entries: string[]) => `[\n${entries.map((entry) => `    ${entry},\n`).join('')}  ]`

/** A configuration as small as it gets (workerd.capnp): what wrangler and miniflare put around a Worker is left out. */
const configuration = (vars: Record<string, string>, date: string, isolates: number) => {
  const names = Array.from({ length: isolates }, (_, index) => `main-${index}`)
  const bindings = Object.entries(vars).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`)
  const services = [
    ...names.map((name) => `(name = "${name}", worker = .program)`),
    '(name = "internet", network = (allow = ["public", "private", "local"]))',
  ]
  const sockets = names.map((name) => `(name = "${name}", address = "${LOOPBACK}:0", http = (), service = "${name}")`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = ${list(services)},
  sockets = ${list(sockets)},
);
const program :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${quoted(date)},
  bindings = ${list(bindings)},
);
`
}

/** The ports that workerd reports on its control descriptor, once `count` of them listen. */
const portsOf = (child: ChildProcess, count: number): Promise<number[]> =>
  new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code}.`)))
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
  await writeFile(file, configuration(vars, await compatibilityDate(), isolates), { mode: 0o600 })
  return { file, remove: () => rm(folder, { recursive: true, force: true }) }
}

// A run that fails leaves no process behind.
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs one Worker in workerd itself. */
export const startWorkerd = async (options: WorkerOptions): Promise<Workerd> => {
  const { file, remove } = await writeConfiguration(options)
  const child = spawn(binary(), ['serve', '--control-fd=3', file], {
    stdio: ['ignore', 'ignore', options.output ?? 'inherit', 'pipe'],
  })
  running.add(child)
  const ended = once(child, 'exit')
  const urls = (await portsOf(child, options.isolates ?? 1)).map((port) => `http://${LOOPBACK}:${port}`)
  const [url] = urls
  if (child.pid === undefined || url === undefined) throw new Error('workerd has no process.')
  return {
    pid: child.pid,
    url,
    urls,
    close: async () => {
      child.kill()
      await ended
      running.delete(child)
      await remove()
    },
  }
}
