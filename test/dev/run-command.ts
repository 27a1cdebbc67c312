import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Runs one of the scripts of `dev/` as npm does, with nothing of this process's environment but its paths. `onStart` is
 * given its process.
 */
export const runCommand = (
  script: string,
  env: Record<string, string> = {},
  args: string[] = [],
  onStart: (child: ChildProcess) => void = () => undefined,
) =>
  new Promise<{ code: number | null; output: string }>((resolve) => {
    const clean = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
    const child = spawn(process.execPath, [`dev/${script}`, ...args], { env: { ...clean, ...env } })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('close', (code) => resolve({ code, output }))
    onStart(child)
  })
