/** Values by texts of up to `longest` characters, at most `most` of them: one too many, and all are forgotten. */
export function createLru<Value>(most: number, longest: number) {
  const values = new Map<string, Value>()
  return {
    get: (text: string): Value | undefined => values.get(text),
    set(text: string, value: Value): void {
      if (text.length > longest) return
      if (values.size >= most && !values.has(text)) values.clear()
      values.set(text, value)
    },
  }
}
