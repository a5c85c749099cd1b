'use strict'
// chartjs-node-canvas asks for `canvas`, which builds native code at install time; @napi-rs/canvas ships its binaries.
// The two differ in how a canvas is made a buffer with a callback, in how fonts are registered, and in what an SVG is.
const { Canvas, GlobalFonts, Image, createCanvas, loadImage } = require('@napi-rs/canvas')
const { svgCanvas } = require('./svg.cjs')

function adapted(width, height, type) {
  if (type === 'svg') return svgCanvas(width, height)
  const canvas = createCanvas(width, height)
  const toBuffer = canvas.toBuffer.bind(canvas)
  canvas.toBuffer = (first, ...rest) => {
    if (typeof first !== 'function') return toBuffer(first, ...rest)
    const [mime = 'image/png', ...options] = rest
    try {
      first(null, toBuffer(mime, ...options))
    } catch (error) {
      first(error)
    }
    return undefined
  }
  return canvas
}

module.exports = {
  Canvas,
  Image,
  createCanvas: adapted,
  loadImage,
  registerFont: (path, { family }) => GlobalFonts.registerFromPath(path, family),
}
