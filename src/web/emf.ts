// Metrics in CloudWatch's Embedded Metric Format: a line of JSON on standard output is all that it takes, no call and no right.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
import type { Control } from '../stores/control.ts'
import type { Overview } from '../stores/overview.ts'
import type { Setup } from '../stores/store.ts'

/** What a run did. Counts. */
export interface RunFigures {
  readonly polled: number
  readonly new: number
  readonly delivered: number
  readonly trouble: number
}

/** How things stand, where the state could be read. */
export interface StateFigures {
  readonly view: Overview
  /** Seconds since the name that was looked at longest ago was. A name never looked at counts from when it was added. */
  readonly oldestLookAge?: number
}

type Unit = 'Count' | 'Seconds'

/** Seconds since the name that was looked at longest ago; undefined if none is watched. */
export function oldestLookAge(control: Control, setup: Setup, now: number): number | undefined {
  const ages = setup.items.flatMap(({ key }) => {
    const item = control.items[key]
    return item === undefined ? [] : [Math.max(0, now - (item.succeededAt ?? item.addedAt)) / 1000]
  })
  return ages.length === 0 ? undefined : Math.max(...ages)
}

/**
 * The line, with its line break. What is not known is left out, so that an alarm on missing data rings. One dimension, the function: each metric in
 * each dimension costs by the month, and a watched name is nobody's label.
 */
export function emfLine(functionName: string, now: number, run: RunFigures, state?: StateFigures): string {
  const metrics: readonly (readonly [name: string, unit: Unit, value: number | undefined])[] = [
    ['Polled', 'Count', run.polled],
    ['New', 'Count', run.new],
    ['Delivered', 'Count', run.delivered],
    ['Pending', 'Count', state?.view.sinks.reduce((sum, { waiting, parked }) => sum + waiting + parked, 0)],
    ['Trouble', 'Count', run.trouble],
    ['OldestLookAgeSeconds', 'Seconds', state?.oldestLookAge],
    ['QueriesLeftFull', 'Count', left(state?.view, 'full')],
    ['QueriesLeftSingle', 'Count', left(state?.view, 'single')],
  ]
  const known = metrics.filter((metric): metric is [string, Unit, number] => metric[2] !== undefined)
  const line = {
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        { Namespace: 'Certbell', Dimensions: [['FunctionName']], Metrics: known.map(([name, unit]) => ({ Name: name, Unit: unit })) },
      ],
    },
    FunctionName: functionName,
    ...Object.fromEntries(known.map(([name, , value]) => [name, value])),
  }
  return `${JSON.stringify(line)}\n`
}

// Of a class that no name is asked in nothing is used up.
function left(view: Overview | undefined, queryClass: 'full' | 'single'): number | undefined {
  return view?.names.some((name) => name.queryClass === queryClass) === true ? view.quota[queryClass].left : undefined
}
