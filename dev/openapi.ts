import { writeFile } from 'node:fs/promises'
import { takeNoArguments } from './arguments.ts'
import { fromRoot } from './bundle.ts'
import { openApiDocument } from './openapi/document.ts'

const HELP = 'npm run openapi: writes the API document, public/openapi.json, from the schemas of the routes.'

takeNoArguments(HELP)
await writeFile(fromRoot('public/openapi.json'), `${JSON.stringify(await openApiDocument(), null, 2)}\n`)
