// What the same pages cost without us: fetch and JSON.parse, and with `x509` a `new X509Certificate` for each. Run as: node bench/reference.ts URL parse|x509
import { X509Certificate } from 'node:crypto'

const [, , url = '', mode = 'parse'] = process.argv
let after = ''
let count = 0
let letters = 0
for (;;) {
  const response = await fetch(`${url}/issuances?domain=example.com&after=${after}`)
  const page = JSON.parse(await response.text()) as { id: string; cert_der: string; serial?: string }[]
  count += page.length
  if (mode === 'x509') for (const { cert_der } of page) letters += new X509Certificate(Buffer.from(cert_der, 'base64')).serialNumber.length
  const last = page.at(-1)
  if (last === undefined) break
  after = last.id
}
console.log(JSON.stringify({ count, letters }))
