#!/usr/bin/env node
// Any Node can parse this file: it looks at its own version before anything newer is loaded.
var found = process.versions.node.split('.')
var major = Number(found[0])
var minor = Number(found[1])
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    'certbell: this is Node ' + process.versions.node + ', and certbell needs 22.19 or newer: get it from https://nodejs.org or your package manager',
  )
  process.exit(2)
} else if (process.argv.length === 3 && process.argv[2] === '--version') {
  console.log(require('../package.json').version)
} else {
  require('./run.js')
}
