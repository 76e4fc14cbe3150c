/** One question. `validate` says what is wrong with an answer, undefined if nothing. */
export interface Question {
  readonly message: string
  readonly placeholder?: string
  readonly validate: (answer: string) => string | undefined
}

/** Asks a person at a terminal. Undefined means that they gave up (Ctrl-C, Escape). */
export interface Prompter {
  text(question: Question): Promise<string | undefined>
  /** The answer is not shown. */
  secret(question: Question): Promise<string | undefined>
}

/** The prompter of @clack/prompts, loaded only now: no other command needs it. */
export async function clackPrompter(): Promise<Prompter> {
  const clack = await import('@clack/prompts')
  const answered = (answer: string | symbol | undefined): string | undefined => (clack.isCancel(answer) ? undefined : String(answer ?? ''))
  return {
    text: async ({ message, placeholder, validate }) =>
      answered(await clack.text({ message, ...(placeholder === undefined ? {} : { placeholder }), validate: (answer) => validate(answer ?? '') })),
    secret: async ({ message, validate }) => answered(await clack.password({ message, validate: (answer) => validate(answer ?? '') })),
  }
}
