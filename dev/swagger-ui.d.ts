/** What `public/docs/docs.js` uses of swagger-ui-dist, which has no types of its own. */
declare function SwaggerUIBundle(options: {
  url: string
  dom_id: string
  deepLinking: boolean
  displayRequestDuration: boolean
  defaultModelsExpandDepth: number
  persistAuthorization: boolean
  validatorUrl: null
}): void
