/** A curve: points of a positive x, drawn on a logarithmic axis, and y. */
export interface Curve {
  name: string
  points: readonly { x: number; y: number; low: number; high: number }[]
}

export interface Plot {
  title: string
  xLabel: string
  yLabel: string
  /** The value that means "unchanged", drawn as a line of its own. */
  reference: number
  curves: readonly Curve[]
}

const WIDTH = 720
const HEIGHT = 400
const LEFT = 64
const RIGHT = 20
const TOP = 76
const BOTTOM = 56

/** Colours that keep a contrast of 3:1 on white and on GitHub's dark. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 15px; font-weight: 600 }
  .axis { stroke: #59636e } .grid { stroke: #d1d9e0 } .reference { stroke: #59636e; stroke-dasharray: 4 4 }
  .curve { fill: none; stroke-width: 2.5 } .spread { stroke-width: 1.5 }
  .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #1a7f37 } .d0 { fill: #0969da } .d1 { fill: #bc4c00 } .d2 { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .axis { stroke: #9198a1 } .grid { stroke: #3d444d } .reference { stroke: #9198a1 }
    .c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 } .d0 { fill: #4493f8 } .d1 { fill: #f0883e } .d2 { fill: #3fb950 }
  }`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const text = (x: number, y: number, content: string, attributes = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`
const line = (x1: number, y1: number, x2: number, y2: number, name: string) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="${name}"/>`

const scales = ({ curves, reference }: Plot) => {
  const all = curves.flatMap(({ points }) => points)
  const decades = Math.log10(Math.max(...all.map(({ x }) => x))) || 1
  const top = Math.max(reference, ...all.map(({ high }) => high)) * 1.1
  const step = 10 ** Math.floor(Math.log10(top)) / 2
  return {
    x: (value: number) => LEFT + (Math.log10(value) / decades) * (WIDTH - LEFT - RIGHT),
    y: (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM),
    xTicks: [...new Set(all.map(({ x }) => x))],
    yTicks: Array.from({ length: Math.floor(top / step) }, (_, index) => step * (index + 1)),
  }
}
type Scales = ReturnType<typeof scales>

const axes = ({ xLabel, yLabel, reference }: Plot, { x, y, xTicks, yTicks }: Scales) => [
  ...yTicks.flatMap((tick) => [
    line(LEFT, y(tick), WIDTH - RIGHT, y(tick), 'grid'),
    text(LEFT - 8, y(tick) + 4, tick.toFixed(1), 'text-anchor="end"'),
  ]),
  ...xTicks.map((tick) => text(x(tick), HEIGHT - BOTTOM + 20, tick.toLocaleString('en'), 'text-anchor="middle"')),
  line(LEFT, y(0), WIDTH - RIGHT, y(0), 'axis'),
  line(LEFT, y(reference), WIDTH - RIGHT, y(reference), 'reference'),
  text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, xLabel, 'text-anchor="middle"'),
  text(LEFT, TOP - 10, yLabel),
]

const curveOf = ({ name, points }: Curve, index: number, { x, y }: Scales) => [
  `<polyline class="curve c${index}" points="${points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ')}"/>`,
  ...points.flatMap((point) => [
    line(x(point.x), y(point.low), x(point.x), y(point.high), `spread c${index}`),
    `<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="4" class="d${index}"/>`,
  ]),
  line(LEFT + index * 210, 44, LEFT + 24 + index * 210, 44, `curve c${index}`),
  text(LEFT + 30 + index * 210, 48, name),
]

/** An SVG that follows the reader's light or dark. The whiskers are the quartiles. */
export const svgOf = (plot: Plot): string => {
  const scale = scales(plot)
  const parts = [
    text(LEFT, 24, plot.title, 'class="title"'),
    ...axes(plot, scale),
    ...plot.curves.flatMap((curve, index) => curveOf(curve, index, scale)),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(plot.title)}">
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`
}
