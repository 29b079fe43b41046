/** How the person looks at the frame, and where the keyboard's crosshair is. */
import type { Box } from '../api/types'
import type { OpenItem } from '../state/open-item.svelte'
import { preferences } from '../state/preferences.svelte'
import type { MaskLook } from './painter'
import { centred, clamped, fitted, moved, type Rectangle, type Viewport, zoomedAt } from './viewport'

interface Point {
  x: number
  y: number
}

const EVERYTHING_COLOUR = '#ffffff'

export class CanvasView {
  viewport = $state.raw<Viewport>({ scale: 1, x: 0, y: 0 })
  area = $state.raw<Rectangle>({ x: 0, y: 0, width: 1, height: 1 })
  crosshair = $state.raw<Point>()
  /** The first corner of a box that is marked by keyboard. */
  corner = $state.raw<Point>()
  draggedBox = $state.raw<Box>()
  stroke = $state.raw<Point[]>([])
  pointer = $state.raw<Point>()
  private followsArea = true

  constructor(readonly open: OpenItem) {}

  get size() {
    return { width: this.open.width, height: this.open.height }
  }

  setArea(area: Rectangle): void {
    const { x, y, width, height } = this.area
    if (x === area.x && y === area.y && width === area.width && height === area.height) return
    this.area = area
    if (this.followsArea) this.fit()
  }

  fit(): void {
    this.followsArea = true
    this.viewport = fitted(this.size, this.area)
  }

  actualSize(): void {
    this.followsArea = false
    this.viewport = centred(this.size, this.area, 1 / (globalThis.devicePixelRatio || 1))
  }

  zoom(
    factor: number,
    at: Point = { x: this.area.x + this.area.width / 2, y: this.area.y + this.area.height / 2 },
  ): void {
    this.followsArea = false
    this.viewport = zoomedAt(this.viewport, factor, at.x, at.y)
  }

  pan(dx: number, dy: number): void {
    this.followsArea = false
    this.viewport = moved(this.viewport, dx, dy)
  }

  placeCrosshair(point: Point): void {
    this.crosshair = clamped(point, this.size)
  }

  moveCrosshair(dx: number, dy: number): void {
    const from = this.crosshair ?? { x: Math.floor(this.open.width / 2), y: Math.floor(this.open.height / 2) }
    this.placeCrosshair({ x: from.x + dx, y: from.y + dy })
  }

  /** What a click would do at the crosshair: a point, a proposal, or a corner of a box. */
  async actAtCrosshair(label: 0 | 1): Promise<void> {
    const at = this.crosshair
    const { prompting, proposals } = this.open
    if (!at) return
    if (proposals.active) return proposals.toggleAt(at.x, at.y)
    if (prompting.tool !== 'box') return prompting.addPoint(at.x, at.y, label)
    const { corner } = this
    this.corner = corner ? undefined : at
    if (corner) await prompting.addBox(boxBetween(corner, at))
  }

  /** What is drawn over `frame`, the selected object last. */
  looks(frame: number): MaskLook[] {
    const { opacity, outlines } = preferences.values
    const { open } = this
    if (open.proposals.active && open.proposals.frame === frame) return this.proposalLooks()
    const looks = open.objects
      .filter((object) => open.isShown(object))
      .flatMap((object): MaskLook[] => {
        const mask = open.masks.find(frame, object.id)
        if (!mask) return []
        const { id: number, colour } = object
        const refining = mask.state === 'provisional'
        return [{ mask, colour, number, refining, selected: number === open.selected, opacity, outline: outlines }]
      })
      .sort((a, b) => Number(a.selected) - Number(b.selected))
    return [...looks, ...this.newLooks(frame, looks), ...this.previewLooks(frame)]
  }

  /** Masks of objects whose rows have not arrived yet. */
  private newLooks(frame: number, known: MaskLook[]): MaskLook[] {
    const { opacity, outlines: outline } = preferences.values
    const ids = new Set([...this.open.objects.map(({ id }) => id), ...known.map(({ number }) => number)])
    return this.open.masks
      .on(frame)
      .filter(({ object }) => !ids.has(object) && this.open.prompting.pending.length > 0)
      .map((mask) => ({
        mask,
        colour: '#4da3ff',
        number: mask.object,
        selected: true,
        refining: true,
        opacity,
        outline,
      }))
  }

  private previewLooks(frame: number): MaskLook[] {
    const { preview } = this.open.prompting
    if (!preview?.mask || preview.frame !== frame) return []
    const colour = this.open.current?.colour ?? '#4da3ff'
    return [{ mask: preview.mask, colour, number: 1, selected: false, refining: true, opacity: 0.2, outline: true }]
  }

  private proposalLooks(): MaskLook[] {
    const { shown, chosen } = this.open.proposals
    return shown.map((mask) => {
      const taken = chosen.has(mask.object)
      const colour = taken ? PALETTE[mask.object % PALETTE.length]! : EVERYTHING_COLOUR
      return { mask, colour, number: 1, selected: taken, refining: false, opacity: taken ? 0.5 : 0.12, outline: true }
    })
  }
}

/** Colours that people with any kind of colour vision tell apart (after Okabe and Ito). */
const PALETTE = ['#56b4e9', '#e69f00', '#009e73', '#f0e442', '#0072b2', '#d55e00', '#cc79a7']

export function boxBetween(a: Point, b: Point): Box {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)]
}
