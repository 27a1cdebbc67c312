import * as v from 'valibot'
import { COMPANY_KEY, MAX_NAME_LENGTH } from '../../broker/company.ts'
import { REALM_ID } from './parameter-formats.ts'

/*
 * Fields that several responses share. The response schemas are the single source of field names: the routes import
 * their types, and the API document and its tests import the schemas. The Worker's bundle contains none of them.
 */

/** A time in epoch seconds, like every time on the wire. */
export function epochSeconds(description: string) {
  return v.pipe(v.number(), v.integer(), v.description(description))
}

/** A time in epoch seconds, or `null` if it is not known. */
export function epochSecondsOrNull(description: string) {
  return v.pipe(v.nullable(v.pipe(v.number(), v.integer())), v.description(description))
}

export const companyKey = v.pipe(
  v.string(),
  v.regex(COMPANY_KEY),
  v.description('Stable identifier for the QuickBooks connection, such as beach-blend or beach-blend-sandbox.'),
)

export const companyName = v.pipe(
  v.string(),
  v.maxLength(MAX_NAME_LENGTH),
  v.description('Stored company display name.'),
)

export const realmId = v.pipe(v.string(), v.regex(REALM_ID), v.description('QuickBooks company ID.'))

export const realmIdOrNull = v.pipe(
  v.nullable(v.pipe(v.string(), v.regex(REALM_ID))),
  v.description('QuickBooks company ID; null before the first consent.'),
)

export const usesSandboxCredentials = v.pipe(
  v.boolean(),
  v.description('Whether the connection uses sandbox QuickBooks credentials.'),
)

export const environment = v.pipe(v.picklist(['production', 'sandbox']), v.description('Stored environment label.'))
