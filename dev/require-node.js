// Loaded before every script (`node --import`). It is JavaScript that old versions of Node can run, because the scripts are
// TypeScript and need the Node of the package `node`.

const INSTALL = 'npm install --include=dev --ignore-scripts=false'
const REASON = 'ignore-scripts=true and NODE_ENV=production (omit=dev) keep npm from installing it'

/** @param {string} message */
const fail = (message) => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** @param {unknown} error @returns {string | undefined} The package that is not installed. */
const findMissingPackage = (error) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    ? /^Cannot find package '([^']+)'/.exec(error.message)?.[1]
    : undefined

if (!process.features.typescript) {
  fail(
    `This is Node ${process.versions.node}, which cannot run the TypeScript of these scripts. ` +
      `A newer Node comes with the package \`node\`, which is not installed: ${REASON}.\n` +
      `Run: ${INSTALL}\nOr install Node 22.18 or later on this machine.`,
  )
}

process.on('uncaughtException', (error) => {
  const name = findMissingPackage(error)
  if (name !== undefined) {
    fail(`The package ${name} is not installed: npm install has not run, or ${REASON}.\nRun: ${INSTALL}`)
  }
  console.error(error)
  process.exit(1)
})
