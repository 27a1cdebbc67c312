import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail, takeNoArguments } from './arguments.ts'
import { BUNDLE_LIMIT_BYTES, countGzippedBytes, fromRoot } from './bundle.ts'

const HELP = `
npm run bundle:check: compares the gzipped size of the Worker with its limit. Uploads nothing.
`

/** Bundles the Worker as `wrangler deploy` does. */
const bundleForUpload = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'broker-upload-'))
  const wrangler = fromRoot('node_modules/wrangler/bin/wrangler.js')
  try {
    await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', folder], {
      cwd: fromRoot('.'),
    })
    return await readFile(join(folder, 'worker.js'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

takeNoArguments(HELP)
const script = await bundleForUpload().catch((error: unknown) =>
  fail(`wrangler deploy --dry-run failed. ${error instanceof Error ? error.message : ''}`),
)
const size = countGzippedBytes(script)
process.stdout.write(`The Worker has ${size} bytes gzipped. The limit is ${BUNDLE_LIMIT_BYTES}.\n`)
process.exitCode = size > BUNDLE_LIMIT_BYTES ? 1 : 0
