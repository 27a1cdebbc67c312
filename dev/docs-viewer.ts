import { takeNoArguments } from './arguments.ts'
import { placeViewer } from './viewer.ts'

const HELP =
  'npm run docs:viewer: copies Swagger UI to public/docs/vendor, for /docs. npm start, the tests and the deployment run it.'

takeNoArguments(HELP)
await placeViewer()
