// The only place in the program that reads process.env.

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The process's environment, as it is now. */
export function readEnvironment(): Environment {
  return { ...process.env }
}

/** The variables that are set; an empty one counts as not set. Earlier layers win. The answer has no prototype, so that no name finds what nobody set. */
export function layered(...layers: readonly Environment[]): Environment {
  const merged: Record<string, string> = Object.create(null)
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer)) if (value !== undefined && value !== '' && !(name in merged)) merged[name] = value
  }
  return merged
}
