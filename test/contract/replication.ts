import * as v from 'valibot'
import type { SeenRequest } from '../support/fault-orders.ts'
import type { tableAccess } from '../support/worker-harness.ts'

type Table = ReturnType<typeof tableAccess>
type Item = Awaited<ReturnType<Table['item']>>

const KEY = v.object({ pk: v.object({ S: v.string() }) })
const WRITE = v.union([v.object({ Key: KEY }), v.object({ Item: KEY })])
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem']

interface Replica {
  table: Table
  /** The version that each item has here. */
  versions: Map<string, number>
  gate: Promise<unknown>
  busy: Promise<unknown>
}

/**
 * Copies what is written in the home region to replicas as a global table does: each item by itself, each version some
 * time later, in any order; the last writer wins, so that no version ever replaces a later one. `lagMs` is asked for
 * each copy.
 */
export const startReplication = (primary: Table, tables: Record<string, Table>, lagMs: () => number) => {
  const replicas = new Map<string, Replica>(
    Object.entries(tables).map(([region, table]) => [
      region,
      { table, versions: new Map(), gate: Promise.resolve(), busy: Promise.resolve() },
    ]),
  )
  const replica = (region: string) => {
    const found = replicas.get(region)
    if (!found) throw new Error(`There is no replica in ${region}.`)
    return found
  }
  const copies = new Set<Promise<unknown>>()
  let written = 0
  let reading: Promise<unknown> = Promise.resolve()

  const apply = async ({ table, versions }: Replica, pk: string, item: Item, version: number) => {
    if ((versions.get(pk) ?? 0) > version) return
    versions.set(pk, version)
    await (item ? table.put(item) : table.remove(pk))
  }

  const deliver = async (to: Replica, pk: string, item: Item, version: number) => {
    await new Promise((resolve) => setTimeout(resolve, lagMs()))
    await to.gate
    to.busy = to.busy.then(() => apply(to, pk, item, version))
    await to.busy
  }

  /** Sends an item as it is now on its way. Items are read one after the other, so that a later version is no older one. */
  const send = (pk: string) => {
    const read = reading.then(async () => ({ item: await primary.item(pk), version: ++written }))
    reading = read
    const copy = read.then(({ item, version }) =>
      Promise.all([...replicas.values()].map((to) => deliver(to, pk, item, version))),
    )
    copies.add(copy)
    void copy.then(() => copies.delete(copy))
    return copy
  }

  return {
    /** For the proxy before the home region's engine. */
    answered: ({ operation, body, status }: SeenRequest) => {
      if (status !== 200 || !WRITES.includes(operation)) return
      const write = v.parse(WRITE, body)
      void send(('Key' in write ? write.Key : write.Item).pk.S)
    },
    send,
    /** Holds back what a replica would get, until what it returns is called. */
    hold: (region: string) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      replica(region).gate = promise
      return resolve
    },
    /** All that was written has arrived. */
    settled: async () => {
      while (copies.size > 0) await Promise.all(copies)
    },
  }
}
