import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Converts a path relative to the project's root to an absolute path. */
export const fromRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** 96 KB of 1,024 bytes, as wrangler counts: an alarm for unexpected growth, not a target. */
export const BUNDLE_LIMIT_BYTES = 96 * 1024

/** The size that counts for an upload, in bytes. */
export const countGzippedBytes = (script: string | Uint8Array): number => gzipSync(script, { level: 9 }).byteLength

/** Bundles the Worker into one module, as `wrangler deploy` does. */
export const bundleWorker = async (entry = fromRoot('src/worker.ts')): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    write: false,
  })
  const [file] = outputFiles
  if (!file) throw new Error('esbuild wrote no bundle.')
  return file.text
}

/** Reads `compatibility_date` of `wrangler.toml`, so that the local runtime behaves as the deployment. */
export const readCompatibilityDate = async (): Promise<string> => {
  const toml = await readFile(fromRoot('wrangler.toml'), 'utf8')
  const date = /^compatibility_date\s*=\s*"(\d{4}-\d{2}-\d{2})"/m.exec(toml)?.[1]
  if (!date) throw new Error('wrangler.toml has no compatibility_date.')
  return date
}
