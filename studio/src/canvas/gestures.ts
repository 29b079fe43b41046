/** Mouse, pen and fingers on the canvas: click, drag a box, paint, pan, pinch, and rest for a preview. */
import { cocoOfPlane } from '../masks/coco'
import { coversPixel } from '../masks/runs'
import { planeOfStroke } from '../masks/strokes'
import { preferences } from '../state/preferences.svelte'
import { boxBetween, type CanvasView } from './canvas-view.svelte'
import { clamped, toFrame } from './viewport'

interface Point {
  x: number
  y: number
}

type Drag = 'undecided' | 'box' | 'paint' | 'pan'

/** A pointer that moved less is a click; CSS pixels. */
const CLICK_RADIUS = 4
/** A pointer that rests this long asks for a preview, in milliseconds. */
const REST = 60

export class Gestures {
  /** Space is held: a drag moves the frame. */
  spaceHeld = false
  panned = false
  private pointers = new Map<number, Point>()
  private start: Point | undefined
  private drag: Drag = 'undecided'
  private restTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly view: CanvasView) {}

  down(event: PointerEvent, at: Point): void {
    this.view.open.prompting.forgetCandidates()
    this.pointers.set(event.pointerId, at)
    this.start = at
    const { tool } = this.view.open.prompting
    // With a second finger it was the beginning of a pinch, not of a stroke or a box.
    if (this.pointers.size === 2) this.abandon()
    if (event.button === 1 || this.spaceHeld || this.pointers.size === 2) this.drag = 'pan'
    else if ((tool === 'brush' || tool === 'eraser') && event.button === 0) this.beginStroke(at)
    else this.drag = 'undecided'
    clearTimeout(this.restTimer)
  }

  move(event: PointerEvent, at: Point): void {
    this.view.pointer = at
    const before = this.pointers.get(event.pointerId)
    if (!before) return this.rest(event, at)
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, at)
    this.pointers.set(event.pointerId, at)
    if (this.pointers.size > 1) return
    if (this.drag === 'pan') {
      this.panned = true
      return this.view.pan(at.x - before.x, at.y - before.y)
    }
    if (this.drag === 'paint') this.view.stroke = [...this.view.stroke, this.frameAt(at)]
    else this.dragBox(event, at)
  }

  up(event: PointerEvent, at: Point): void {
    this.pointers.delete(event.pointerId)
    const { drag, start } = this
    if (this.pointers.size || !start) return
    this.start = undefined
    const box = this.view.draggedBox
    this.view.draggedBox = undefined
    if (drag === 'paint') this.endStroke()
    else if (drag === 'box' && box) void this.view.open.prompting.addBox(box)
    else if (drag === 'undecided') this.click(event, at)
  }

  cancel(event: PointerEvent): void {
    this.pointers.delete(event.pointerId)
    this.start = undefined
    this.abandon()
  }

  /** Keys that are let go while the window is not in front are never heard of. */
  release(): void {
    this.spaceHeld = false
  }

  private abandon(): void {
    this.view.draggedBox = undefined
    this.view.stroke = []
  }

  leave(): void {
    clearTimeout(this.restTimer)
    this.view.pointer = undefined
    this.view.open.prompting.forgetPreview()
  }

  wheel(event: WheelEvent, at: Point): void {
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : 30 * event.deltaY
    this.view.zoom(Math.exp(-pixels / (event.ctrlKey ? 100 : 400)), at)
  }

  private click(event: PointerEvent, at: Point): void {
    const { open } = this.view
    if (!this.isInside(at)) return
    const { x, y } = this.frameAt(at)
    if (open.proposals.active) return open.proposals.toggleAt(x, y)
    if (event.ctrlKey || event.metaKey) return this.selectAt(x, y)
    const excludes = event.button === 2 || event.altKey || !open.prompting.including
    void open.prompting.addPoint(x, y, excludes ? 0 : 1)
  }

  private selectAt(x: number, y: number): void {
    const { open } = this.view
    const hit = open.masks.on(open.playhead.frame).find(({ runs, crop }) => coversPixel(runs, crop, x, y))
    if (hit) open.select(hit.object)
  }

  private dragBox(event: PointerEvent, at: Point): void {
    if (!this.start || event.buttons !== 1 || this.view.open.proposals.active) return
    if (this.drag === 'undecided' && Math.hypot(at.x - this.start.x, at.y - this.start.y) < CLICK_RADIUS) return
    this.drag = 'box'
    this.view.draggedBox = boxBetween(this.frameAt(this.start), this.frameAt(at))
  }

  private beginStroke(at: Point): void {
    this.drag = 'paint'
    this.view.stroke = [this.frameAt(at)]
  }

  private endStroke(): void {
    const { stroke, open } = this.view
    const { width, height } = this.view.size
    const plane = planeOfStroke(stroke, open.prompting.brushSize / 2, width, height)
    void open.prompting.paint(cocoOfPlane(plane, width, height)).finally(() => (this.view.stroke = []))
  }

  private pinch(id: number, before: Point, at: Point): void {
    const other = [...this.pointers].find(([pointer]) => pointer !== id)?.[1]
    if (!other) return
    const distance = (point: Point) => Math.hypot(point.x - other.x, point.y - other.y)
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 }
    this.view.pan((at.x - before.x) / 2, (at.y - before.y) / 2)
    if (distance(before) > 0) this.view.zoom(distance(at) / distance(before), middle)
  }

  private rest(event: PointerEvent, at: Point): void {
    clearTimeout(this.restTimer)
    const { open } = this.view
    const wanted =
      preferences.values.hoverPreview && open.prompting.tool === 'smart' && !open.proposals.active && !open.live
    if (!wanted || event.pointerType !== 'mouse' || !this.isInside(at)) return open.prompting.forgetPreview()
    this.restTimer = setTimeout(() => {
      const { x, y } = this.frameAt(at)
      open.prompting.hover(x, y)
    }, REST)
  }

  private frameAt(at: Point): Point {
    return clamped(toFrame(this.view.viewport, at.x, at.y), this.view.size)
  }

  private isInside(at: Point): boolean {
    const { x, y } = toFrame(this.view.viewport, at.x, at.y)
    return x >= 0 && y >= 0 && x < this.view.size.width && y < this.view.size.height
  }
}
