/** Draws one object's lane: bars of states, the score's curve, lost presence, prompts and review stops. */
import type { ObjectStats, SegmentedObject } from '../api/types'
import { barsOf, lowestAPixel } from './lanes'
import { pixelOf, type Scale } from './scale'

export interface LaneColours {
  text: string
  panel: string
}

/** Readable on light and dark panels. */
const HATCHING = '#8a929d'
const WARNING = '#e0a100'

/** The colours of the theme at `node`; asked once a theme, because asking makes the browser lay out the page. */
export function coloursAt(node: Element): LaneColours {
  const { color, backgroundColor } = getComputedStyle(node)
  return { text: color, panel: backgroundColor }
}

export interface LaneContent {
  object: SegmentedObject
  stats: ObjectStats | undefined
  /** Frames of open review stops. */
  stops: number[]
}

const BAR_TOP = 5

export function paintLane(
  canvas: HTMLCanvasElement,
  content: LaneContent,
  scale: Scale,
  height: number,
  colours: LaneColours,
): void {
  const ratio = globalThis.devicePixelRatio || 1
  canvas.width = Math.round(scale.width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')!
  context.scale(ratio, ratio)
  paintBars(context, content, scale, height, colours)
  if (content.stats) paintCurves(context, content.stats, scale, height, colours)
  paintPrompts(context, content.object, scale, height, colours)
  for (const frame of content.stops) paintStop(context, pixelOf(scale, frame + 0.5), colours)
}

function paintBars(
  context: CanvasRenderingContext2D,
  { object }: LaneContent,
  scale: Scale,
  height: number,
  colours: LaneColours,
): void {
  const barHeight = height - 2 * BAR_TOP
  for (const { left, right, state } of barsOf(object.states, scale)) {
    const width = Math.max(1, right - left)
    context.fillStyle = context.strokeStyle = object.colour
    if (state === 'absent') hatch(context, left, BAR_TOP, width, barHeight)
    else if (state === 'stale') {
      context.globalAlpha = 0.2
      context.fillRect(left, BAR_TOP, width, barHeight)
      context.globalAlpha = 1
      context.setLineDash([3, 3])
      context.strokeRect(left + 0.5, BAR_TOP + 0.5, Math.max(0, width - 1), barHeight - 1)
      context.setLineDash([])
    } else if (state !== 'none') {
      context.globalAlpha = state === 'provisional' ? 0.35 : 0.7
      context.fillRect(left, BAR_TOP, width, barHeight)
      context.globalAlpha = 1
    }
    if (state === 'edited') square(context, (left + right) / 2, height / 2, colours)
  }
}

function hatch(context: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
  context.save()
  context.beginPath()
  context.rect(left, top, width, height)
  context.clip()
  context.strokeStyle = HATCHING
  context.beginPath()
  for (let x = left - height; x < left + width; x += 5) {
    context.moveTo(x, top + height)
    context.lineTo(x + height, top)
  }
  context.stroke()
  context.restore()
}

function paintCurves(
  context: CanvasRenderingContext2D,
  stats: ObjectStats,
  scale: Scale,
  height: number,
  colours: LaneColours,
): void {
  context.globalAlpha = 0.35
  context.fillStyle = WARNING
  for (const { pixel, value } of lowestAPixel(stats.frames, stats.presence, scale))
    if (value < 0) context.fillRect(pixel - 0.5, 0, Math.max(1, scale.width / scale.span), height)
  context.globalAlpha = 1
  context.strokeStyle = colours.text
  context.lineWidth = 1
  context.beginPath()
  for (const { pixel, value } of lowestAPixel(stats.frames, stats.score, scale))
    context.lineTo(pixel, height - 2 - Math.min(1, Math.max(0, value)) * (height - 4))
  context.stroke()
}

function paintPrompts(
  context: CanvasRenderingContext2D,
  object: SegmentedObject,
  scale: Scale,
  height: number,
  colours: LaneColours,
): void {
  for (const { frame } of object.prompts) {
    const x = pixelOf(scale, frame + 0.5)
    outlined(context, colours, [x, height / 2 - 6, x + 5, height / 2, x, height / 2 + 6, x - 5, height / 2])
  }
}

function square(context: CanvasRenderingContext2D, x: number, y: number, colours: LaneColours): void {
  outlined(context, colours, [x - 4, y - 4, x + 4, y - 4, x + 4, y + 4, x - 4, y + 4])
}

function paintStop(context: CanvasRenderingContext2D, x: number, colours: LaneColours): void {
  outlined(context, { ...colours, text: WARNING }, [x - 5, 0, x + 5, 0, x, 8])
}

function outlined(context: CanvasRenderingContext2D, colours: LaneColours, corners: number[]): void {
  context.beginPath()
  for (let index = 0; index < corners.length; index += 2) context.lineTo(corners[index]!, corners[index + 1]!)
  context.closePath()
  context.fillStyle = colours.text
  context.fill()
  context.strokeStyle = colours.panel
  context.stroke()
}
