/** What each action does to the open item. */
import type { CanvasView } from '../canvas/canvas-view.svelte'
import { app } from '../state/app.svelte'
import type { OpenItem } from '../state/open-item.svelte'
import type { Tool } from '../state/prompting.svelte'
import type { Action } from './actions'

interface Context {
  open: OpenItem
  view: CanvasView
  openFiles: () => void
}

const ACTIONS: Record<Action, (context: Context) => unknown> = {
  previousFrame: ({ open }) => open.playhead.step(-1),
  nextFrame: ({ open }) => open.playhead.step(1),
  back10Frames: ({ open }) => open.playhead.step(-10),
  forward10Frames: ({ open }) => open.playhead.step(10),
  play: ({ open }) => open.playhead.toggle(),
  firstFrame: ({ open }) => open.playhead.seek(0),
  lastFrame: ({ open }) => open.playhead.seek(open.frameCount - 1),
  previousPrompt: ({ open }) => open.playhead.seekPrompt(-1),
  nextPrompt: ({ open }) => open.playhead.seekPrompt(1),
  newObject: ({ open }) => open.select(0),
  objectAbove: ({ open }) => selectNeighbour(open, -1),
  objectBelow: ({ open }) => selectNeighbour(open, 1),
  smartSelect: ({ open }) => takeTool(open, 'smart'),
  brush: ({ open }) => takeTool(open, 'brush'),
  eraser: ({ open }) => takeTool(open, 'eraser'),
  box: ({ open }) => takeTool(open, 'box'),
  smallerBrush: ({ open }) => sizeBrush(open, 1 / 1.25),
  largerBrush: ({ open }) => sizeBrush(open, 1.25),
  swapLabel: ({ open }) => (open.prompting.including = !open.prompting.including),
  candidates: ({ open }) => open.prompting.showCandidates(),
  includeHere: ({ view }) => view.actAtCrosshair(1),
  excludeHere: ({ view }) => view.actAtCrosshair(0),
  leave: leave,
  removePrompts: ({ open }) => open.prompting.removePrompts(),
  removeObject: ({ open }) => open.selected && open.command({ do: 'remove', object: open.selected }),
  trackChanged: ({ open }) => open.track('changed'),
  trackAll: ({ open }) => open.track('all'),
  cancelJob: ({ open }) => open.cancelJob(),
  markAbsent: ({ open }) => open.markAbsent(),
  hideObject: ({ open }) => open.editSelected((object) => ({ hidden: !object.hidden })),
  hideAll: ({ open }) => hideAll(open),
  solo: ({ open }) => (open.soloed = open.soloed === open.selected ? 0 : open.selected),
  lock: ({ open }) => open.editSelected((object) => ({ locked: !object.locked })),
  nextStop: ({ open }) => open.review.step(1),
  previousStop: ({ open }) => open.review.step(-1),
  looksRight: ({ open }) => open.review.judge('ok'),
  flag: ({ open }) => open.review.judge('flag'),
  inPoint: ({ open }) => (open.inPoint = open.playhead.frame),
  outPoint: ({ open }) => (open.outPoint = open.playhead.frame),
  clearInOut: ({ open }) => (open.inPoint = open.outPoint = undefined),
  everything: ({ open }) =>
    app.hasEverything && (open.proposals.active ? open.proposals.leave() : open.proposals.enter()),
  undo: ({ open }) => open.undo(),
  redo: ({ open }) => open.redo(),
  zoomIn: ({ view }) => view.zoom(1.25),
  zoomOut: ({ view }) => view.zoom(1 / 1.25),
  fit: ({ view }) => view.fit(),
  actualSize: ({ view }) => view.actualSize(),
  export: () => app.exportFormats.length > 0 && (app.dialog = 'export'),
  open: ({ openFiles }) => openFiles(),
  checkpoint: ({ open }) => open.saySaved(),
  keys: () => (app.dialog = 'keys'),
}

export function perform(action: Action, context: Context): void {
  void ACTIONS[action](context)
}

function takeTool(open: OpenItem, tool: Tool): void {
  open.prompting.tool = tool
}

function sizeBrush(open: OpenItem, factor: number): void {
  open.prompting.brushSize = Math.min(400, Math.max(2, Math.round(open.prompting.brushSize * factor)))
}

/** Hide all objects, or show them where all are hidden. */
function hideAll(open: OpenItem): Promise<unknown> {
  const hidden = open.objects.some((object) => !object.hidden)
  return Promise.all(open.objects.map(({ id }) => open.edit(id, { hidden })))
}

function selectNeighbour(open: OpenItem, step: number): void {
  const at = open.objects.findIndex(({ id }) => id === open.selected)
  const next = open.objects[Math.min(Math.max(at + step, 0), open.objects.length - 1)]
  if (next) open.select(next.id)
}

/** One thing at a time: candidates, a half-marked box, proposals, the tool, the span, the selection. */
function leave({ open, view }: Context): void {
  if (open.prompting.candidates.length) open.prompting.forgetCandidates()
  else if (view.corner) view.corner = undefined
  else if (open.proposals.active) open.proposals.leave()
  else if (open.prompting.tool !== 'smart') open.prompting.tool = 'smart'
  else if (open.span) open.span = undefined
  else if (view.crosshair) view.crosshair = undefined
  else open.select(0)
}
