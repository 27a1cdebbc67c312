// @ts-check

/** Swagger UI, from /docs/vendor/swagger-ui-bundle.js. */
const { SwaggerUIBundle } = /** @type {any} */ (globalThis)

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  // The key that is typed in lives as long as the page.
  persistAuthorization: false,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // No validator of another host is asked.
  validatorUrl: null,
})
