/** Where the frame lies on the screen: screen = frame * scale + (x, y), in CSS pixels from the canvas's corner. */
export interface Viewport {
  scale: number
  x: number
  y: number
}

export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

export interface Size {
  width: number
  height: number
}

const MARGIN = 16
export const LARGEST_SCALE = 32
const SMALLEST_SCALE = 0.02

/** The whole frame in the middle of `area`. */
export function fitted(frame: Size, area: Rectangle): Viewport {
  const room = { width: Math.max(1, area.width - 2 * MARGIN), height: Math.max(1, area.height - 2 * MARGIN) }
  return centred(frame, area, Math.min(LARGEST_SCALE, room.width / frame.width, room.height / frame.height))
}

export function centred(frame: Size, area: Rectangle, scale: number): Viewport {
  return {
    scale,
    x: area.x + (area.width - frame.width * scale) / 2,
    y: area.y + (area.height - frame.height * scale) / 2,
  }
}

/** Zoom by `factor`; the frame's point under (`x`, `y`) stays there. */
export function zoomedAt(viewport: Viewport, factor: number, x: number, y: number): Viewport {
  const scale = Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, viewport.scale * factor))
  const ratio = scale / viewport.scale
  return { scale, x: x - (x - viewport.x) * ratio, y: y - (y - viewport.y) * ratio }
}

export function moved(viewport: Viewport, dx: number, dy: number): Viewport {
  return { ...viewport, x: viewport.x + dx, y: viewport.y + dy }
}

export function toFrame(viewport: Viewport, x: number, y: number): { x: number; y: number } {
  return { x: (x - viewport.x) / viewport.scale, y: (y - viewport.y) / viewport.scale }
}

/** The nearest point within the frame. */
export function clamped(point: { x: number; y: number }, frame: Size): { x: number; y: number } {
  return {
    x: Math.min(Math.max(point.x, 0), frame.width - 1e-3),
    y: Math.min(Math.max(point.y, 0), frame.height - 1e-3),
  }
}
