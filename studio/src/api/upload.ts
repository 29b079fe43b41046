/** Files in parts that survive a broken connection: the server says from where to go on. */
import { api, ApiError, request } from './client'
import type { Item, NewUpload, Upload } from './types'

const MOST_FAILURES = 5
const VIDEO_NAME = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|ts|gif)$/i
const IMAGE_NAME = /\.(jpe?g|png|webp|bmp|tiff?)$/i

/** Whether it looks like an image or a video; browsers know the types of common ones only. */
export function isMedia({ type, name }: File): boolean {
  return /^(image|video)\//.test(type) || VIDEO_NAME.test(name) || IMAGE_NAME.test(name)
}

export function kindOf(file: File): 'image' | 'video' {
  return file.type.startsWith('video/') || VIDEO_NAME.test(file.name) ? 'video' : 'image'
}

/** Upload `file` into `project`; `progress` hears the share that is there, 0..1. */
export async function upload(project: string, file: File, progress: (share: number) => void): Promise<Item> {
  const { item } = await sent(project, file, kindOf(file), progress)
  return item!
}

/** Upload a file of masks into `project`; returns the upload, which can be imported. */
export async function uploadMasks(project: string, file: File): Promise<string> {
  return (await sent(project, file, 'masks', () => {})).upload
}

async function sent(
  project: string,
  file: File,
  kind: NewUpload['kind'],
  progress: (share: number) => void,
): Promise<{ upload: string; item?: Item }> {
  const response = await request(`projects/${project}/uploads`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: file.name, size: file.size, kind }),
  })
  const started = (await response.json()) as Upload
  let offset = started.offset
  for (let failures = 0; ; ) {
    progress(offset / file.size)
    try {
      const answer = await sendPart(started, file, offset)
      if ('item' in answer) return { upload: started.upload, item: answer.item }
      offset = answer.offset
      if (offset === file.size) return { upload: started.upload }
    } catch (error) {
      if (++failures > MOST_FAILURES || !isWorthAnotherTry(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, 500 * failures))
      offset = await offsetOf(started.upload)
    }
  }
}

async function sendPart(upload: Upload, file: File, offset: number): Promise<{ offset: number } | { item: Item }> {
  const end = Math.min(file.size, offset + upload.part_size)
  const response = await request(`uploads/${upload.upload}`, {
    method: 'PUT',
    headers: {
      'Content-Range': `bytes ${offset}-${end - 1}/${file.size}`,
      'Content-Type': 'application/octet-stream',
    },
    body: file.slice(offset, end),
  })
  return (await response.json()) as { offset: number } | { item: Item }
}

function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof ApiError && [0, 409, 429, 503].includes(error.status)
}

async function offsetOf(upload: string): Promise<number> {
  const response = await request(`uploads/${upload}`, { method: 'HEAD' })
  return Number(response.headers.get('Upload-Offset'))
}

/** Wait until the server has read the media of `item`; `failed` is an error with the server's words. */
export async function imported(item: Item): Promise<Item> {
  let current = item
  for (let pause = 50; current.status === 'importing'; pause = Math.min(1000, pause * 1.5)) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    current = await api.item(item.id)
  }
  if (current.status === 'failed') throw new ApiError(422, 'unreadable', current.error ?? item.name)
  return current
}
