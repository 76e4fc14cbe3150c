import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import test from 'node:test'
import { parse } from 'yaml'
import { containerCommand, deployCommands, healthCommand, packageFile, parseDockerfile, parseUnit } from '../support/deploy.ts'

const COMMANDS = ['watch', 'poll', 'demo', 'init', 'check', 'doctor', 'test-alert', 'status', 'certs', 'alerts', 'logs']

const manifest: {
  bin: Record<string, string>
  scripts: Record<string, string>
  engines: { node: string }
} = JSON.parse(packageFile('package.json'))
const docker = parseDockerfile(packageFile('Dockerfile'))
const lastStage = Math.max(...docker.map(({ stage }) => stage))
const final = docker.filter(({ stage }) => stage === lastStage)

test('the image is built in stages, and the last one holds no compiler and no development dependency', () => {
  assert.ok(lastStage >= 1)
  assert.ok(docker.filter(({ name }) => name === 'FROM').every(({ text }) => text.startsWith('node:24-')))
  assert.ok(!final.some(({ name, text }) => name === 'RUN' && text.includes('npm')))
  assert.ok(docker.some(({ stage, text }) => stage < lastStage && text.includes('npm ci --omit=dev --ignore-scripts')))
  const copied = final.filter(({ name }) => name === 'COPY').map(({ text }) => text)
  assert.ok(!copied.includes('. .'))
  assert.ok(copied.some((text) => text.startsWith('--from=production') && text.includes('node_modules')))
})

test('its build runs what `npm run build` runs', () => {
  assert.ok(docker.some(({ name, text, stage }) => name === 'RUN' && text === manifest.scripts['build'] && stage < lastStage))
  const build = docker.filter(({ stage }) => stage === 0).map(({ name, text }) => `${name} ${text}`)
  assert.ok(build.findIndex((line) => line.startsWith('RUN npm ci')) < build.indexOf('COPY . .'), 'dependencies are a layer of their own')
})

test('it runs as a user who is not root, after everything that needs root', () => {
  const user = final.findLastIndex(({ name }) => name === 'USER')
  assert.ok(user !== -1)
  assert.doesNotMatch(final[user]?.text ?? 'root', /^(?:root|0)(?::|$)/)
  assert.ok(!final.slice(user).some(({ name }) => name === 'RUN' || name === 'COPY'))
})

test('state is a volume, and a default only', () => {
  assert.ok(final.some(({ name, text }) => name === 'VOLUME' && text.includes('/var/lib/certbell')))
  const env = final
    .filter(({ name }) => name === 'ENV')
    .map(({ text }) => text)
    .join(' ')
  assert.match(env, /\bSTATE_DIRECTORY=\/var\/lib\/certbell\b/)
  assert.match(env, /\bCERTBELL_LISTEN=127\.0\.0\.1:8080\b/)
})

test('the health check asks /livez, with Node alone', () => {
  const [program, flag, code] = healthCommand(docker)
  assert.deepEqual([program, flag], ['node', '-e'])
  assert.match(code ?? '', /\/livez/)
})

test('the health check follows what /livez answers', async (t) => {
  const [, ...words] = healthCommand(docker)
  let status = 200
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const run = (listen: string) =>
    new Promise<number | null>((resolve) =>
      spawn(process.execPath, words, { env: { CERTBELL_LISTEN: listen }, stdio: 'inherit' }).on('exit', resolve),
    )
  assert.equal(await run(`127.0.0.1:${port}`), 0)
  assert.equal(await run(`0.0.0.0:${port}`), 0)
  status = 503
  assert.equal(await run(`127.0.0.1:${port}`), 1)
  assert.equal(await run('127.0.0.1:1'), 1)
  assert.deepEqual(paths, ['/livez', '/livez', '/livez'])
})

test('the entry point is the bin, and it is in the image', () => {
  assert.deepEqual(containerCommand(docker), ['/usr/local/bin/certbell', 'watch'])
  assert.ok(final.some(({ name, text }) => name === 'RUN' && text.includes(`ln -s /app/${manifest.bin['certbell']} /usr/local/bin/certbell`)))
  for (const folder of ['bin', 'dist', 'schema'])
    assert.ok(
      final.some(({ name, text }) => name === 'COPY' && text.endsWith(` /app/${folder}`)),
      folder,
    )
})

test('every command that a deploy file starts is one', () => {
  const commands = deployCommands()
  assert.equal(commands.length, 3)
  for (const { file, words } of commands) {
    assert.match(words[0] ?? '', /^\/usr\/(?:local\/)?bin\/certbell$/, file)
    assert.ok(COMMANDS.includes(words[1] ?? ''), file)
    assert.ok(Object.hasOwn(manifest.bin, 'certbell'))
  }
})

test('secrets and state stay out of the build', () => {
  const ignored = packageFile('.dockerignore').split('\n')
  for (const line of ['**/.env', '.git', '**/node_modules']) assert.ok(ignored.includes(line), line)
  // What the image copies must not be ignored.
  for (const name of ['src', 'bin', 'schema', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    assert.ok(!ignored.includes(name), name)
})

for (const name of ['certbell.service', 'certbell-poll.service']) {
  test(`${name} has no more rights than it needs`, () => {
    const service = parseUnit(packageFile(`deploy/systemd/${name}`)).get('Service')
    const expected: Record<string, string> = {
      DynamicUser: 'yes',
      StateDirectory: 'certbell',
      StateDirectoryMode: '0700',
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX',
      SystemCallFilter: '@system-service',
      // Node would not start with it.
      MemoryDenyWriteExecute: 'no',
    }
    assert.deepEqual(service?.get('EnvironmentFile'), ['-/etc/certbell/env', '-/etc/certbell/.env'])
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(service?.get(key), [value], key)
  })
}

test('the service comes back after a crash, not after a mistake of the owner', () => {
  const unit = parseUnit(packageFile('deploy/systemd/certbell.service'))
  assert.deepEqual(unit.get('Service')?.get('Restart'), ['on-failure'])
  assert.deepEqual(unit.get('Service')?.get('RestartPreventExitStatus'), ['2'])
  assert.deepEqual(unit.get('Install')?.get('WantedBy'), ['multi-user.target'])
  assert.deepEqual(unit.get('Service')?.get('ExecStart'), ['/usr/bin/certbell watch --config /etc/certbell/certbell.yaml'])
})

test('the timer belongs to the poll service', () => {
  const timer = parseUnit(packageFile('deploy/systemd/certbell-poll.timer'))
  assert.ok(timer.get('Timer')?.has('OnUnitInactiveSec'))
  assert.ok(existsSync(new URL('../../deploy/systemd/certbell-poll.service', import.meta.url)))
})

test('compose takes away what the container does not need', () => {
  const { services }: { services: { certbell: Record<string, unknown> } } = parse(packageFile('deploy/compose.yaml'))
  const { certbell } = services
  assert.equal(certbell['read_only'], true)
  assert.deepEqual(certbell['cap_drop'], ['ALL'])
  assert.deepEqual(certbell['security_opt'], ['no-new-privileges:true'])
  assert.equal(certbell['env_file'], '.env')
  assert.ok(Array.isArray(certbell['volumes']) && certbell['volumes'].includes('state:/var/lib/certbell'))
  assert.equal(certbell['privileged'], undefined)
})
