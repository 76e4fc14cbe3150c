// Reads a CloudFormation template and works it out for given parameters, so that tests see what would be deployed and not how it is written.
import type { CollectionTag, ScalarTag } from 'yaml'
import { Scalar, YAMLSeq, parse } from 'yaml'

/** A value after all functions have been worked out. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

/** A resource as it would be made. */
export interface Resource {
  readonly Type: string
  readonly Properties: { readonly [key: string]: Value }
  readonly [key: string]: Value
}

/** What a template says, functions written out long. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: Value; readonly NoEcho?: boolean; readonly AllowedPattern?: string }>>
  readonly Conditions?: Readonly<Record<string, unknown>>
  readonly Resources: Readonly<Record<string, unknown>>
}

const short = (name: string): string => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`)
const scalars: readonly ScalarTag[] = ['Ref', 'Sub', 'GetAtt', 'Condition'].map((name) => ({
  tag: `!${name}`,
  resolve: (text: string) => ({ [short(name)]: name === 'GetAtt' ? text.split('.') : text }),
}))
const lists: readonly CollectionTag[] = ['If', 'Not', 'Equals', 'And', 'Or', 'Join', 'Select', 'Split', 'Sub'].map((name) => ({
  tag: `!${name}`,
  collection: 'seq',
  resolve: (seq) => new Scalar({ [short(name)]: seq instanceof YAMLSeq ? seq.toJSON() : [] }),
}))

/** Reads a template's YAML. A tag that it does not know is an error. */
export function parseTemplate(text: string): Template {
  return parse(text, { customTags: [...scalars, ...lists], logLevel: 'error' }) as Template
}

const ABSENT = Symbol('AWS::NoValue')
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'certbell',
}

/** What would be deployed with these parameters, in account 123456789012, region eu-central-1. A Ref to a resource gives its logical name in lower case. */
export function workOut(
  { Parameters = {}, Conditions = {}, Resources }: Template,
  parameters: Readonly<Record<string, string>>,
): Readonly<Record<string, Resource>> {
  for (const name of Object.keys(parameters)) if (!(name in Parameters)) throw new Error(`no parameter ${name}`)

  const reference = (name: string): unknown => {
    if (name === 'AWS::NoValue') return ABSENT
    if (name in PSEUDO) return PSEUDO[name]
    if (name in Parameters) {
      const value = parameters[name] ?? Parameters[name]?.Default
      if (value === undefined) throw new Error(`the parameter ${name} has no value`)
      return value
    }
    if (name in Resources) return name.toLowerCase()
    throw new Error(`nothing is called ${name}`)
  }
  const attribute = ([name = '', what = '']: readonly string[]): string => {
    const { Type } = (Resources[name] ?? {}) as { readonly Type?: string }
    if (Type === 'AWS::S3::Bucket' && what === 'Arn') return `arn:aws:s3:::${name.toLowerCase()}`
    // With the streams, as CloudFormation gives it.
    if (Type === 'AWS::Logs::LogGroup' && what === 'Arn') return `arn:aws:logs:eu-central-1:123456789012:log-group:${name.toLowerCase()}:*`
    if (Type === undefined) throw new Error(`nothing is called ${name}`)
    return `${name.toLowerCase()}.${what}`
  }
  const condition = (name: string): boolean => {
    if (!(name in Conditions)) throw new Error(`no condition ${name}`)
    return of(Conditions[name]) === true
  }
  const functions: Readonly<Record<string, (argument: never) => unknown>> = {
    Ref: reference,
    'Fn::GetAtt': attribute,
    'Fn::Sub': (text: string) =>
      text.replace(/\$\{([^}]+)\}/g, (_, name: string) => String(name.includes('.') ? attribute(name.split('.')) : reference(name))),
    'Fn::Join': ([between, parts]: readonly [string, unknown]) => (of(parts) as string[]).join(between),
    'Fn::If': ([name, yes, no]: readonly [string, unknown, unknown]) => of(condition(name) ? yes : no),
    'Fn::Equals': ([a, b]: readonly [unknown, unknown]) => of(a) === of(b),
    'Fn::Not': ([a]: readonly [unknown]) => of(a) !== true,
  }
  const of = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(of).filter((item) => item !== ABSENT)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const [name = '', argument] = entries[0] ?? []
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) {
      const work = functions[name]
      if (work === undefined) throw new Error(`${name} is not known here`)
      return work(argument as never)
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, of(inner)] as const).filter(([, inner]) => inner !== ABSENT))
  }

  return Object.fromEntries(
    Object.entries(Resources)
      .filter(([, resource]) => {
        const { Condition } = resource as { readonly Condition?: string }
        return Condition === undefined || condition(Condition)
      })
      .map(([name, resource]) => [name, of(resource) as Resource]),
  )
}
