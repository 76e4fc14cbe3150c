// Reads the deploy files, so that what they name can be held against the package and run.
import { readFileSync } from 'node:fs'

/** One instruction of a Dockerfile, continuation lines joined. `stage` counts FROM from 0. */
export interface DockerInstruction {
  readonly name: string
  readonly text: string
  readonly stage: number
}

/** A command that a deploy file starts. */
export interface DeployCommand {
  readonly file: string
  /** The program's path as the file has it, then its arguments. */
  readonly words: readonly string[]
}

/** Sections of a unit file: each key with all its values, in order. */
export type Unit = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/** The text of a file, its path relative to the package's root. */
export function packageFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** A Dockerfile's instructions in order. */
export function parseDockerfile(text: string): readonly DockerInstruction[] {
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
  let stage = -1
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(/\s+/)
      if (name.toUpperCase() === 'FROM') stage++
      return { name: name.toUpperCase(), text: rest.join(' '), stage }
    })
}

/** The words of an exec form, `["a", "b"]`. Throws if it is a shell form. */
export function execForm(text: string): readonly string[] {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) throw new Error(`not an exec form: ${text}`)
  return words
}

/** What a container of this Dockerfile starts: ENTRYPOINT with CMD behind it. */
export function containerCommand(instructions: readonly DockerInstruction[]): readonly string[] {
  const last = (name: string) => instructions.findLast((instruction) => instruction.name === name)?.text ?? '[]'
  return [...execForm(last('ENTRYPOINT')), ...execForm(last('CMD'))]
}

/** The HEALTHCHECK's words. */
export function healthCommand(instructions: readonly DockerInstruction[]): readonly string[] {
  const text = instructions.find((instruction) => instruction.name === 'HEALTHCHECK')?.text ?? ''
  return execForm(text.slice(text.indexOf('CMD') + 3).trim())
}

/** Reads a systemd unit file. */
export function parseUnit(text: string): Unit {
  const unit = new Map<string, Map<string, string[]>>()
  let section = new Map<string, string[]>()
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    const header = /^\[(.+)\]$/.exec(line.trim())?.[1]
    if (header !== undefined) unit.set(header, (section = new Map()))
    const assignment = /^([A-Za-z]+)=(.*)$/.exec(line.trim())
    if (assignment?.[1] !== undefined) section.set(assignment[1], [...(section.get(assignment[1]) ?? []), assignment[2] ?? ''])
  }
  return unit
}

/** Every certbell command that the deploy files start. `/usr/bin/certbell` and `/usr/local/bin/certbell` stand for the package's bin. */
export function deployCommands(): readonly DeployCommand[] {
  const units = ['certbell.service', 'certbell-poll.service'].map((name) => `deploy/systemd/${name}`)
  return [
    { file: 'Dockerfile', words: containerCommand(parseDockerfile(packageFile('Dockerfile'))) },
    ...units.flatMap((file) =>
      (parseUnit(packageFile(file)).get('Service')?.get('ExecStart') ?? []).map((line) => ({ file, words: line.split(/\s+/) })),
    ),
  ]
}
