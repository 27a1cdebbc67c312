/**
 * Entries up to a total size. The least recently used entry is evicted first. A `Map` keeps the order of insertion, so an
 * entry that is used is inserted again.
 */
export function createLru<Value>(maxSize: number, toSize: (value: Value) => number) {
  const entries = new Map<string, { value: Value; size: number }>()
  let total = 0

  const remove = (key: string) => {
    total -= entries.get(key)?.size ?? 0
    entries.delete(key)
  }

  return {
    /** The value, which then counts as used. */
    get(key: string): Value | undefined {
      const entry = entries.get(key)
      if (!entry) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },

    /** The value, without counting as used. */
    peek: (key: string): Value | undefined => entries.get(key)?.value,

    set(key: string, value: Value): void {
      remove(key)
      const size = toSize(value)
      entries.set(key, { value, size })
      total += size
      for (const [oldest] of entries) {
        if (total <= maxSize) return
        remove(oldest)
      }
    },

    /** The total size of all entries. */
    size: () => total,
  }
}
