// What we need of an object store: read, write on a condition, list, remove. Whatever passes is asked again; whatever does not is the owner's.
import { StoreError } from '../../watch/errors.ts'
import type { Condition, Exchange, ListedObject, S3Answer, S3Place, S3Request } from './exchange.ts'
import { MAX_BODY, shownPlace } from './exchange.ts'
import type { Patience } from './patience.ts'
import { isPassing, nextAttempt } from './patience.ts'
import { refusal } from './refusal.ts'

/** An object that was read. `etag` comes with its quotes. */
export interface StoredObject {
  readonly body: Buffer
  readonly etag: string
}

/**
 * Objects of one bucket; keys are whole. Throws OwnerError `state-access` where rights, bucket, region or clock are wrong, StoreError `busy` or `io`
 * once patience is over. A write that ended in a StoreError may have happened.
 */
export interface ObjectStore {
  /** Undefined: it is not there. 'unchanged': it is what `unless` names. */
  get(key: string, unless?: string): Promise<StoredObject | 'unchanged' | undefined>
  /** 'conflict': another was there, or writes just now; our own earlier attempt may have been it. 'gone': there is nothing to replace. */
  put(key: string, body: Buffer, condition: Condition): Promise<{ readonly etag: string } | 'conflict' | 'gone'>
  /** `atMost`: ends with the page that reaches it. */
  list(prefix: string, atMost?: number): Promise<readonly ListedObject[]>
  /** False if the role may not. One that is not there is removed. */
  remove(key: string): Promise<boolean>
}

/** The client's exchange made patient, and its answers given a meaning. */
export function createObjectStore(exchange: Exchange, place: S3Place, patience: Patience): ObjectStore {
  const ask = async (request: S3Request): Promise<S3Answer> => {
    const deadline = patience.time.now() + patience.timeLeft()
    for (let attempt = 1; ; attempt++) {
      const left = deadline - patience.time.now()
      const answer = await once(exchange, request, Math.max(1000, Math.min(patience.attemptMs, left)))
      if (!(answer instanceof Error) && !isPassing(answer.status, answer.code)) return answer
      const at = nextAttempt(attempt, deadline, patience)
      if (at === undefined) throw givenUp(answer, place)
      await patience.time.sleepUntil(at)
    }
  }

  return {
    get: async (key, unless) => {
      const request: S3Request = { kind: 'get', key, ...(unless !== undefined && { unless }) }
      const answer = await ask(request)
      if (answer.status === 304 && unless !== undefined) return 'unchanged'
      if (answer.status === 404 && answer.code !== 'NoSuchBucket') return undefined
      if (answer.status !== 200 || answer.body === undefined || answer.etag === undefined) throw refusal(request, answer, place)
      return { body: answer.body, etag: answer.etag }
    },
    put: async (key, body, condition) => {
      if (body.length > MAX_BODY)
        throw new StoreError('full', `an object of ${body.length} bytes is more than the state at ${shownPlace(place)} may have`)
      const request: S3Request = { kind: 'put', key, body, condition }
      const answer = await ask(request)
      if (answer.status === 412 || answer.status === 409) return 'conflict'
      if (answer.status === 404 && 'ifMatch' in condition && answer.code !== 'NoSuchBucket') return 'gone'
      if (answer.status !== 200 || answer.etag === undefined) throw refusal(request, answer, place)
      return { etag: answer.etag }
    },
    list: async (prefix, atMost = Infinity) => {
      const objects: ListedObject[] = []
      let after: string | undefined
      do {
        const request: S3Request = { kind: 'list', prefix, ...(after !== undefined && { after }) }
        const answer = await ask(request)
        if (answer.status !== 200 || answer.listed === undefined) throw refusal(request, answer, place)
        objects.push(...answer.listed.objects)
        after = answer.listed.next
      } while (after !== undefined && objects.length < atMost)
      return objects
    },
    remove: async (key) => {
      const request: S3Request = { kind: 'remove', key }
      const answer = await ask(request)
      if (answer.status === 403) return false
      if (answer.status >= 300 && answer.status !== 404) throw refusal(request, answer, place)
      return true
    },
  }
}

async function once(exchange: Exchange, request: S3Request, ms: number): Promise<S3Answer | Error> {
  try {
    return await exchange(request, AbortSignal.timeout(ms))
  } catch (error) {
    // What we made of it ourselves is no accident of the network.
    if (!(error instanceof Error) || error.name === 'OwnerError' || error.name === 'StoreError') throw error
    return error
  }
}

function givenUp(last: S3Answer | Error, place: S3Place): StoreError {
  const where = `the state at ${shownPlace(place)}`
  if (last instanceof Error) return new StoreError('io', `${where} cannot be reached: ${reason(last)}`, { cause: last })
  const busy = last.status === 503 || last.status === 429 || last.code === 'SlowDown'
  return new StoreError(
    busy ? 'busy' : 'io',
    `${where} cannot be used just now: S3 said ${last.status}${last.code === undefined ? '' : ` ${last.code}`}`,
  )
}

function reason(error: Error): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time'
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
