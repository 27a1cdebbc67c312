// @ts-check

const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

// Of /docs/vendor/swagger-ui-bundle.js.
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // The key that is typed in lives as long as the page.
  persistAuthorization: false,
  // No other host is asked what it thinks of the document.
  validatorUrl: null,
})
