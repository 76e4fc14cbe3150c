// The part of undici that we use, by its files. Its front door loads websockets, caches and mocks as well: 40 ms and 14 MB more at each start of a
// command that a cron job starts every minute. The version is pinned, so these paths are as fixed as its API; the types are its own.
import type { Agent as AgentType, Dispatcher } from 'undici'
// @ts-expect-error undici has types for its front door only
import agent from 'undici/lib/dispatcher/agent.js'
// @ts-expect-error likewise
import send from 'undici/lib/api/api-request.js'

/** undici's Agent. */
export const Agent = agent as typeof AgentType

/** Dispatcher.request, for a dispatcher that was made without the front door. */
export async function request(dispatcher: Dispatcher, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData<unknown>> {
  return (send as typeof Dispatcher.prototype.request).call(dispatcher, options)
}
