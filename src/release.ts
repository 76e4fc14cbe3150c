// Memory that is not left to the collector.

/**
 * Gives memory back at once that nobody looks at any more. Half a megabyte for each page, left to the collector, keeps it busy for a third of the time, and
 * holds tens of megabytes until it comes round.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  // What is a part of something larger may not be ours alone. What was unpacked has a byte to spare.
  const isWhole = buffer.byteLength - byteLength <= 1
  if (buffer instanceof ArrayBuffer && isWhole && byteLength > Buffer.poolSize) buffer.transfer(0)
}
