/** The outline of a mask along pixel edges, found from its runs alone: the plane is never made. */
import { type Crop, type Interval, rowsOfRuns } from './runs'

/** A closed outline in frame pixels: x, y, x, y, ... Outer ones turn clockwise, holes the other way. */
export type Contour = number[]

interface Edge {
  to: number
  used: boolean
}

export function contoursOfRuns(runs: Uint32Array, crop: Crop): Contour[] {
  return chain(edgesOfRows(rowsOfRuns(runs, crop), crop.width + 1), crop)
}

/** Directed edges by the grid point that they leave, the object always to the right of them. */
function edgesOfRows(rows: Interval[][], stride: number): Map<number, Edge[]> {
  const edges = new Map<number, Edge[]>()
  const add = (from: number, to: number) => {
    const there = edges.get(from)
    if (there) there.push({ to, used: false })
    else edges.set(from, [{ to, used: false }])
  }
  let above: Interval[] = []
  for (let y = 0; y <= rows.length; y++) {
    const row = rows[y] ?? []
    const top = y * stride
    for (const { start, end } of uncovered(row, above)) add(top + start, top + end)
    for (const { start, end } of uncovered(above, row)) add(top + end, top + start)
    for (const { start, end } of row) {
      add(top + end, top + stride + end)
      add(top + stride + start, top + start)
    }
    above = row
  }
  return edges
}

/** The parts of `intervals` that `others` do not cover; both in order. */
function uncovered(intervals: Interval[], others: Interval[]): Interval[] {
  const left: Interval[] = []
  for (const { start, end } of intervals) {
    let from = start
    for (const other of others) {
      if (other.end <= from) continue
      if (other.start >= end) break
      if (other.start > from) left.push({ start: from, end: other.start })
      from = other.end
      if (from >= end) break
    }
    if (from < end) left.push({ start: from, end })
  }
  return left
}

function chain(edges: Map<number, Edge[]>, crop: Crop): Contour[] {
  const contours: Contour[] = []
  for (const [start, leaving] of edges) {
    for (const first of leaving) {
      if (!first.used) contours.push(follow(edges, start, first, crop))
    }
  }
  return contours
}

function follow(edges: Map<number, Edge[]>, start: number, first: Edge, crop: Crop): Contour {
  const stride = crop.width + 1
  const contour: Contour = []
  let from = start
  let edge = first
  let direction = 0
  for (;;) {
    edge.used = true
    const next = edge.to - from
    const turned = Math.sign(next) * (Math.abs(next) < stride ? 1 : 2)
    // Points along a straight line are left out.
    if (turned !== direction) contour.push(crop.x + (from % stride), crop.y + Math.floor(from / stride))
    direction = turned
    from = edge.to
    if (from === start) return contour
    const leaving = edges.get(from)!.filter((candidate) => !candidate.used)
    // Where two corners of the mask touch, turn right: pieces that meet at a point stay separate outlines.
    edge = leaving.length === 1 ? leaving[0]! : rightTurn(leaving, from, turned, stride)
  }
}

function rightTurn(leaving: Edge[], from: number, direction: number, stride: number): Edge {
  const clockwise = [1, 2, -1, -2]
  const wanted = clockwise[(clockwise.indexOf(direction) + 1) % 4]
  return (
    leaving.find(({ to }) => Math.sign(to - from) * (Math.abs(to - from) < stride ? 1 : 2) === wanted) ?? leaving[0]!
  )
}
