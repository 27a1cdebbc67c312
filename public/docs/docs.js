// @ts-check

const dark = matchMedia('(prefers-color-scheme: dark)')
const applyScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', applyScheme)
applyScheme()

// Defined by /docs/vendor/swagger-ui-bundle.js.
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // The API key that a person enters is gone when the page closes.
  persistAuthorization: false,
  // Sends the document to no external validator.
  validatorUrl: null,
})
