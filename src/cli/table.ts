// Columns of text.

/** Lines with their cells side by side, two blanks apart; the last cell of a line is not padded. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = []
  for (const row of rows) for (const [index, cell] of row.slice(0, -1).entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell))
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)))))
      .join('  ')
      .trimEnd(),
  )
}

// Colours take no room.
function width(cell: string): number {
  return cell.replaceAll(/\u001b\[[0-9;]*m/g, '').length
}
