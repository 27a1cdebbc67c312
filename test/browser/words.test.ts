import { describe, expect, it } from 'vitest'
import { canDisconnect, findStatus, STATUSES, summarize } from '../../public/console/connection.js'
import { formatLeft, formatRelative } from '../../public/console/time.js'

const NOW = 1_785_000_000
const [MINUTE, HOUR, DAY] = [60, 3600, 24 * 3600]

describe('times in the console', () => {
  it.each([
    [43 * MINUTE + 59, 'in 43 minutes'],
    [90, 'in 90 seconds'],
    [0, 'in 0 seconds'],
    [-17 * MINUTE, '17 minutes ago'],
    [5 * HOUR, 'in 5 hours'],
    [47 * HOUR, 'in 47 hours'],
    [-3 * DAY, '3 days ago'],
    [1806 * DAY, 'in 1,806 days'],
  ])('%d s from now reads "%s"', (seconds, words) => {
    expect(formatRelative(NOW + seconds, NOW)).toBe(words)
  })

  it('say what is left, and that nothing is', () => {
    expect(formatLeft(NOW + 100 * DAY - 1, NOW)).toBe('99 days left')
    expect(formatLeft(NOW + 30 * MINUTE, NOW)).toBe('30 minutes left')
    expect(formatLeft(NOW - 2 * DAY, NOW)).toBe('ended 2 days ago')
  })
})

describe('the status of a connection', () => {
  const connected = {
    ...{ company_key: 'beach', company_name: 'Beach', environment: 'production', connected: true, realm_id: '1' },
    ...{ access_token_expires_at: NOW, refresh_token_expires_at: NOW + 100 * DAY, last_refresh_at: NOW },
  }

  it.each([
    ['what the service says, where it says it', { status: 'failing' }, 'failing'],
    ['connected', {}, 'connected'],
    ['connected, where the end is not known', { refresh_token_expires_at: null }, 'connected'],
    ['expiring in its last 30 days', { refresh_token_expires_at: NOW + 30 * DAY - 1 }, 'expiring'],
    ['expiring at the end of its five years', { refresh_token_hard_expires_at: NOW + DAY }, 'expiring'],
    ['reconnect required once the refresh token is dead', { refresh_token_expires_at: NOW }, 'reconnect_required'],
    ['unfinished before the first consent', { connected: false, realm_id: null }, 'unfinished'],
    ['disconnected after it', { connected: false }, 'disconnected'],
    ['unfinished with a refresh token alone', { connected: false, access_token_expires_at: null }, 'unfinished'],
    [
      'reconnect required with an access token alone',
      { connected: false, refresh_token_expires_at: null },
      'reconnect_required',
    ],
    ['its own judgement, where the service says what nobody knows', { status: 'constructor' }, 'connected'],
  ])('is %s', (_, change, status) => {
    expect(findStatus({ ...connected, ...change }, NOW)).toBe(status)
  })

  it('says that refused tokens are still stored, and that a missing one is not', () => {
    const { means } = STATUSES.reconnect_required
    expect(means(connected)).toMatch(/^Its tokens are stored, but can no longer be refreshed\./)
    expect(means({ ...connected, connected: false })).toMatch(/^One of its tokens is missing\./)
  })

  it.each([
    ['confirmed', 'Intuit confirmed'],
    ['unconfirmed', 'Intuit did not confirm'],
    ['pending', 'Disconnect once more'],
  ])('tells what became of a revocation that is %s', (revocation, words) => {
    const erased = { ...connected, connected: false, disconnection: { at: NOW, revocation, intuit_tid: null } }
    expect(STATUSES.disconnected.means(erased)).toContain(words)
    expect(canDisconnect(erased, 'disconnected')).toBe(revocation === 'pending')
    expect(STATUSES.disconnected.means({ ...erased, disconnection: null })).toBe(
      'No tokens are stored. A start link connects it again.',
    )
  })

  it('is counted in one sentence', () => {
    expect(summarize([])).toBe('')
    expect(summarize(['connected'])).toBe('1 connection: 1 connected')
    expect(summarize(['failing', 'connected', 'connected'])).toBe('3 connections: 2 connected, 1 failing')
  })
})
