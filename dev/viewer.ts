import { copyFile, mkdir, rename } from 'node:fs/promises'
import { fromRoot } from './bundle.ts'

const FILES = ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE']

/** Copies the viewer of the API document out of its package, next to the static assets that show it. */
export const placeViewer = async (): Promise<void> => {
  const folder = fromRoot('public/docs/vendor')
  await mkdir(folder, { recursive: true })
  const place = async (name: string) => {
    // Several processes may be at it: each file is there whole or not at all.
    const unfinished = `${folder}/${name}.${process.pid}`
    await copyFile(fromRoot(`node_modules/swagger-ui-dist/${name}`), unfinished)
    await rename(unfinished, `${folder}/${name}`)
  }
  await Promise.all(FILES.map(place))
}
