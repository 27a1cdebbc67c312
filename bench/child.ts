import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A Node process of ours. It says what it has to say in messages, one to an order. */
export interface Child {
  pid: number
  /** Sends an order and returns the next message. Rejects if the process ends instead. */
  ask(order: unknown): Promise<unknown>
  close(): Promise<void>
}

const nextMessage = (child: ReturnType<typeof fork>, name: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${name} ended with ${code}.`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })

/** Starts a script of this folder and waits for its first message, which `ask` does not return. */
export const startChild = async (
  script: string,
  env: Record<string, string> = {},
): Promise<Child & { first: unknown }> => {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = fork(path, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const first = await nextMessage(child, script)
  if (child.pid === undefined) throw new Error(`${script} has no process.`)
  return {
    pid: child.pid,
    first,
    ask: (order) => {
      const answer = nextMessage(child, script)
      child.send(order ?? {})
      return answer
    },
    close: async () => {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

/** To be called by such a script: says its first message, answers every order with one, and ends with its parent. */
export const serveParent = (first: unknown, answer: (order: unknown) => Promise<unknown> = async () => ({})): void => {
  process.once('disconnect', () => process.exit(0))
  process.on('message', (order) => {
    void answer(order).then((result) => process.send?.(result))
  })
  process.send?.(first)
}
