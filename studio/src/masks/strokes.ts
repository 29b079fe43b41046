/** A brush stroke as a plane of the frame: all pixels whose centre lies within the brush on its way. */
interface Point {
  x: number
  y: number
}

export function planeOfStroke(points: Point[], radius: number, width: number, height: number): Uint8Array {
  const plane = new Uint8Array(width * height)
  points.forEach((point, index) => addCapsule(plane, width, height, points[index - 1] ?? point, point, radius))
  return plane
}

function addCapsule(plane: Uint8Array, width: number, height: number, a: Point, b: Point, radius: number): void {
  const left = Math.max(0, Math.floor(Math.min(a.x, b.x) - radius))
  const right = Math.min(width - 1, Math.ceil(Math.max(a.x, b.x) + radius))
  const top = Math.max(0, Math.floor(Math.min(a.y, b.y) - radius))
  const bottom = Math.min(height - 1, Math.ceil(Math.max(a.y, b.y) + radius))
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (distance({ x: x + 0.5, y: y + 0.5 }, a, b) <= radius) plane[y * width + x] = 1
    }
  }
}

function distance(point: Point, a: Point, b: Point): number {
  const dx = b.x - a.x
  const dy = b.y - a.y
  const squared = dx * dx + dy * dy
  const along = squared ? ((point.x - a.x) * dx + (point.y - a.y) * dy) / squared : 0
  const nearest = Math.min(1, Math.max(0, along))
  return Math.hypot(point.x - a.x - nearest * dx, point.y - a.y - nearest * dy)
}
