import { takeNoArguments } from './arguments.ts'
import { placeViewer } from './viewer.ts'

const HELP = 'npm run docs:viewer: puts Swagger UI where /docs finds it. Start, tests and deploy do it by themselves.'

takeNoArguments(HELP)
await placeViewer()
