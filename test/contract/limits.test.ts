import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countRouteCalls } from '../../bench/calls.ts'
import { itemBytes, measureStoredItems } from '../../bench/item-size.ts'
import { LIMITS, ROUTES, type Route, type RouteLimit } from '../../bench/limits.ts'
import { findNodeTraces } from '../../bench/node-traces.ts'
import { bundleWorker, countGzippedBytes } from '../../dev/bundle.ts'
import { type Service, startService } from '../support/worker-harness.ts'

describe('the calls that a route makes to DynamoDB', () => {
  let service: Service
  let counted: Record<Route, RouteLimit>
  beforeAll(async () => {
    service = await startService()
    counted = await countRouteCalls(service)
  })
  afterAll(() => service.close())

  it.each(ROUTES)('stay within the limit: %s', (route) => {
    expect(counted[route].calls).toBeLessThanOrEqual(LIMITS.routes[route].calls)
  })

  it('are counted at all', () => {
    expect(counted).toMatchObject({ uncached: { calls: 1 }, start: { calls: 2 } })
    for (const route of ['callback', 'refresh'] as const) expect(counted[route].calls).toBeGreaterThan(1)
  })

  it('are under way together at a start', async () => {
    const { dynamo } = service
    const seen = dynamo.requests.length
    // By their names: a call that is sent again for want of an answer is no second one.
    const mayBePending = () => dynamo.requests.slice(seen).map(({ operation }) => operation)
    const both = expect
      .poll(() => new Set(mayBePending()), { timeout: 20_000 })
      .toEqual(new Set(['PutItem', 'UpdateItem']))
    dynamo.fault({ kind: 'hold', until: both })
    const answer = await service.fetch('/oauth/start/together')
    dynamo.heal()
    await both
    expect(answer.status).toBe(302)
  })
})

describe('a stored connection', () => {
  it('stays small, with tokens of usual length and with the longest', async () => {
    const service = await startService()
    const sizes = await measureStoredItems(service)
    await service.close()
    expect(sizes.usual).toBeGreaterThan(1100)
    expect(sizes.usual).toBeLessThan(LIMITS.itemBytes.usual)
    expect(sizes.longest).toBeGreaterThan(4096 + 512)
    expect(sizes.longest).toBeLessThan(LIMITS.itemBytes.longest)
  })

  it('is measured by DynamoDB’s rule', () => {
    expect(itemBytes({ name: { S: 'Beyoncé' } })).toBe(4 + 8)
    expect(itemBytes({ n: { N: '1790000000' } })).toBe(1 + 3)
    expect(itemBytes({ n: { N: '1790000001' }, flag: { BOOL: true } })).toBe(1 + 6 + 4 + 1)
  })
})

describe('the bundle', () => {
  it('stays small and holds nothing of Node', async () => {
    const script = await bundleWorker()
    expect(countGzippedBytes(script)).toBeLessThanOrEqual(LIMITS.bundleGzipBytes)
    expect(findNodeTraces(script)).toEqual([])
  })

  it('would be caught with a module of Node or a polyfill in it', () => {
    expect(findNodeTraces('import{createHash as a}from"node:crypto";a("md5")')).toEqual(['node:crypto'])
    expect(findNodeTraces('const a=Buffer.from("x")')).toEqual(['Buffer.from'])
    expect(findNodeTraces('import{DurableObject as a}from"cloudflare:workers"')).toEqual([])
  })

  it('gets no polyfill at its upload', () => {
    expect(readFileSync('wrangler.toml', 'utf8')).not.toMatch(/nodejs_compat|node_compat/)
  })

  it('is uploaded as it is measured: minified, with the names of functions and source maps', () => {
    expect(readFileSync('wrangler.toml', 'utf8')).toMatch(
      /^minify = true$[^[]*^keep_names = true$[^[]*^upload_source_maps = true$/m,
    )
  })
})
