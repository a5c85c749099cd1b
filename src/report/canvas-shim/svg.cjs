'use strict'
// An SVG of what chart.js draws: shapes as Skia writes them, text as text. Skia's own text comes out wrong where a font replaces letters
// (a × after a digit is written as a private code point), and as outlines it takes ten times the bytes.
const { SvgExportFlag, createCanvas } = require('@napi-rs/canvas')

const anchors = { center: 'middle', right: 'end', end: 'end' }
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const rounded = (value) => String(Math.round(value * 10) / 10)

/** As wide as in the font that it was laid out with, whatever fonts its reader has. */
function textOf(context, text, x, y, maxWidth = Number.POSITIVE_INFINITY) {
  const { a, b, c, d, e, f } = context.getTransform()
  const { textAlign, textBaseline, font, fillStyle } = context
  const { width, actualBoundingBoxAscent: above } = context.measureText(text)
  context.textBaseline = 'alphabetic'
  const down = context.measureText(text).actualBoundingBoxAscent - above
  context.textBaseline = textBaseline
  const attributes = {
    transform: `matrix(${[a, b, c, d].map((turned) => Number(turned.toFixed(4))).join(' ')} ${rounded(e)} ${rounded(f)})`,
    x: rounded(x),
    y: rounded(y + down),
    fill: fillStyle,
    'text-anchor': anchors[textAlign] ?? 'start',
    'font-size': /([\d.]+)px/.exec(font)[1],
    'font-weight': /\b[1-9]00\b/.exec(font)?.[0] ?? '400',
    textLength: rounded(Math.min(width, maxWidth)),
    lengthAdjust: 'spacingAndGlyphs',
  }
  const said = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`)
  return `<text ${said.join(' ')}>${text.replaceAll(/[&<>"]/g, (character) => entities[character])}</text>`
}

/** Four curves, where Skia would write some two hundred. */
function circle(context, x, y, radius) {
  // So far the handles of a curve lie from its ends where it is a quarter of a circle.
  const handle = 0.5523 * radius
  context.moveTo(x + radius, y)
  context.bezierCurveTo(x + radius, y + handle, x + handle, y + radius, x, y + radius)
  context.bezierCurveTo(x - handle, y + radius, x - radius, y + handle, x - radius, y)
  context.bezierCurveTo(x - radius, y - handle, x - handle, y - radius, x, y - radius)
  context.bezierCurveTo(x + handle, y - radius, x + radius, y - handle, x + radius, y)
}

function svgCanvas(width, height) {
  const canvas = createCanvas(width, height, SvgExportFlag.NoPrettyXML)
  const context = canvas.getContext('2d')
  const texts = []
  context.fillText = (text, ...place) => {
    if (text !== '') texts.push(textOf(context, text, ...place))
  }
  const [save, restore, arc] = [context.save, context.restore, context.arc].map((each) => each.bind(context))
  // What was restored is drawn with, and `fillStyle` goes on telling what was set last.
  const styles = []
  context.save = () => {
    styles.push(context.fillStyle)
    save()
  }
  context.restore = () => {
    restore()
    if (styles.length > 0) context.fillStyle = styles.pop()
  }
  context.arc = (x, y, radius, from, to, ...more) => (to - from < 2 * Math.PI ? arc(x, y, radius, from, to, ...more) : circle(context, x, y, radius))
  canvas.toBuffer = (done) => {
    const drawn = canvas.getContent().toString()
    const shapes = drawn.slice(drawn.indexOf('>', drawn.indexOf('<svg')) + 1, drawn.lastIndexOf('</svg>'))
    const own = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, system-ui, sans-serif">`
    const paths = shapes.replaceAll(/(?<= d=")[^"]+/g, (path) => path.replaceAll(/-?\d+\.\d+/g, rounded))
    done(null, Buffer.from(`${own}${paths}${texts.join('')}</svg>`))
  }
  return canvas
}

module.exports = { svgCanvas }
