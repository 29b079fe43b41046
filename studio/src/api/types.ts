/** The server's messages by the studio's names; `schema.d.ts` is made of the server (tests/studio). */
import type { components } from './schema'

type Messages = components['schemas']

export type Info = Messages['Info']
export type Project = Messages['ProjectMessage']
export type Item = Messages['ItemMessage']
export type SegmentedObject = Messages['ObjectMessage']
export type FramePrompt = Messages['PromptMessage']
export type StateSpan = Messages['StateSpan']
export type ObjectStats = Messages['ObjectStats']
export type ReviewStop = Messages['ReviewStop']
export type Review = Messages['Review']
export type Job = Messages['JobMessage']
export type NewExport = Messages['NewExport']
export type NewStream = Messages['NewStream']
export type NewUpload = Messages['NewUpload']
export type NewImport = Messages['NewImport']
export type Upload = Messages['UploadMessage']
export type RunLengths = Messages['RunLengthMessage']
export type Command = Messages['Command']
export type Reply = Messages['Reply']
export type ServerEvent = Messages['Event']

/** The first and the last frame of a stretch. */
export type Span = StateSpan['frames']
/** x, y in pixels of the frame; 1 includes, 0 excludes. */
export type PromptPoint = NonNullable<Messages['Prompted']['points']>[number]
/** Left, top, right, bottom in pixels of the frame. */
export type Box = NonNullable<Messages['Prompted']['box']>
