// Several requests at once, but not all.

const AT_ONCE = 24

/** Maps with a few at once; the first error ends it. */
export async function parallel<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < items.length; n = next++) results[n] = await map(items[n] as T)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  return results
}
