import { copyFile, mkdir, rename } from 'node:fs/promises'
import { fromRoot } from './bundle.ts'

const FILES = ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE']

/** Copies Swagger UI from its package to the static assets. */
export const placeViewer = async (): Promise<void> => {
  const folder = fromRoot('public/docs/vendor')
  await mkdir(folder, { recursive: true })
  const copy = async (name: string) => {
    // Several processes may copy at the same time: the rename makes each file complete.
    const unfinished = `${folder}/${name}.${process.pid}`
    await copyFile(fromRoot(`node_modules/swagger-ui-dist/${name}`), unfinished)
    await rename(unfinished, `${folder}/${name}`)
  }
  await Promise.all(FILES.map(copy))
}
