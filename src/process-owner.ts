// Who this process is, told so that another one can see whether it still runs.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Owner } from './stores/lease.ts'

/** This process as an owner of leases: host, boot, pid and start time. A lease of an ended process on this host is void at once; any other lasts its time. */
export function processOwner(): Owner {
  const place = `${hostname()} ${bootId()}`
  const mine = `${place} ${process.pid} ${startTime(process.pid) ?? '-'}`
  return {
    id: mine,
    alive: (id) => {
      if (id === mine) return true
      if (!id.startsWith(`${place} `)) return true
      const [pid, started] = id.slice(place.length + 1).split(' ')
      const number = Number(pid)
      if (!Number.isSafeInteger(number) || number <= 0) return true
      if (number === process.pid) return false
      const now = startTime(number)
      if (now !== undefined && started !== '-') return now === started
      try {
        process.kill(number, 0)
        return true
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'EPERM'
      }
    },
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return '-'
  }
}

// Field 22 of proc(5) stat, in clock ticks since boot: with it a reused pid is told from the process that had it before.
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended.
    return fields[0] === 'Z' ? 'ended' : fields[19]
  } catch {
    return undefined
  }
}
