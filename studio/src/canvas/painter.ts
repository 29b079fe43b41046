/** Draws a frame and its masks with Canvas2D: fillings and outlines of constant width on the screen. */
import type { DrawnMask } from '../state/mask-store'
import type { Rectangle, Viewport } from './viewport'

/** Outlines differ between neighbouring numbers, so that colour is never the only sign. */
const DASHES = [[], [7, 4], [2, 3]]

export interface MaskLook {
  mask: DrawnMask
  colour: string
  /** Chooses the kind of outline. */
  number: number
  selected: boolean
  /** A better answer is on its way. */
  refining: boolean
  /** 0..1 of the filling. */
  opacity: number
  outline: boolean
}

export interface Stroke {
  points: { x: number; y: number }[]
  width: number
  colour: string
}

export interface Scene {
  viewport: Viewport
  /** The part of the canvas that no panel covers. */
  area: Rectangle
  frame: { width: number; height: number }
  bitmap: ImageBitmap | undefined
  masks: MaskLook[]
  stroke: Stroke | undefined
}

export function paint(context: CanvasRenderingContext2D, scene: Scene, pixelRatio: number): void {
  const { viewport, area, frame, bitmap } = scene
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0)
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  context.save()
  context.beginPath()
  context.rect(area.x, area.y, area.width, area.height)
  context.clip()
  context.translate(viewport.x, viewport.y)
  context.scale(viewport.scale, viewport.scale)
  context.imageSmoothingEnabled = viewport.scale < 3
  context.imageSmoothingQuality = 'high'
  if (bitmap) context.drawImage(bitmap, 0, 0, frame.width, frame.height)
  for (const look of scene.masks) paintMask(context, look, viewport.scale)
  if (scene.stroke) paintStroke(context, scene.stroke)
  context.restore()
}

function paintMask(context: CanvasRenderingContext2D, look: MaskLook, scale: number): void {
  if (!look.mask.area) return
  const path = look.mask.path()
  context.globalAlpha = look.opacity
  context.fillStyle = look.colour
  context.fill(path)
  context.globalAlpha = 1
  if (!look.outline) return
  context.setLineDash((look.refining ? [4, 4] : DASHES[(look.number + 2) % 3]!).map((length) => length / scale))
  // A dark line below keeps the coloured one visible on any frame.
  context.strokeStyle = 'rgb(0 0 0 / 0.55)'
  context.lineWidth = (look.selected ? 4 : 3) / scale
  context.stroke(path)
  context.strokeStyle = look.colour
  context.lineWidth = (look.selected ? 2.25 : 1.5) / scale
  context.stroke(path)
  context.setLineDash([])
}

function paintStroke(context: CanvasRenderingContext2D, stroke: Stroke): void {
  const [first] = stroke.points
  if (!first) return
  context.globalAlpha = 0.55
  context.strokeStyle = stroke.colour
  context.lineWidth = stroke.width
  context.lineCap = context.lineJoin = 'round'
  context.beginPath()
  context.moveTo(first.x, first.y)
  for (const { x, y } of stroke.points) context.lineTo(x, y)
  context.stroke()
  context.globalAlpha = 1
}
