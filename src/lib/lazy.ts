/** Creates a value at its first use and caches it. If `create` throws, the next use calls it again. */
export function lazy<T>(create: () => T): () => T {
  let cached: { value: T } | undefined
  return () => {
    cached ??= { value: create() }
    return cached.value
  }
}
