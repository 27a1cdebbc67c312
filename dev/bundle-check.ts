import { gzipSync } from 'node:zlib'
import { takeNoArguments } from './arguments.ts'
import { bundleWorker } from './bundle.ts'

const HELP = 'npm run bundle:check: the size of the Worker, minified and gzipped, against its limit.'
/** 45 KB of 1,024 bytes, as wrangler counts them. */
const LIMIT_BYTES = 45 * 1024

takeNoArguments(HELP)
const size = gzipSync(await bundleWorker(), { level: 9 }).byteLength
process.stdout.write(`The Worker has ${size} bytes gzipped, of ${LIMIT_BYTES} allowed.\n`)
process.exitCode = size > LIMIT_BYTES ? 1 : 0
