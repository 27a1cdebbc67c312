declare module 'workerd' {
  /** The package is CommonJS with a default export of its own: the path of the binary for this machine. */
  const workerd: { default: string }
  export default workerd
}
