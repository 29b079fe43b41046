// MODULES FOLDER PIXELS SIDE PROMPTS OUT: logits of the best of three masks by ONNX Runtime for browsers, as demos
// feed the layout of samexporter: by position, prompts of [x, y, label]. One float a pixel of the small masks.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [modules, folder, pixels, side, prompts, out] = process.argv.slice(2)
const { InferenceSession, Tensor } = await import(pathToFileURL(`${modules}/onnxruntime-node/dist/ort.node.min.mjs`).href)
const [MEAN, DEVIATION] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]

const floats = (dims, values) => new Tensor('float32', Float32Array.from(values), dims)
const run = async (session, tensors) => {
  const found = await session.run(Object.fromEntries(session.inputNames.map((name, place) => [name, tensors[place]])))
  return session.outputNames.map((name) => found[name])
}
const [encoder, decoder] = await Promise.all(
  ['encoder', 'decoder'].map((part) => InferenceSession.create(`${folder}/masklet.${part}.onnx`)),
)
const [bytes, size] = [readFileSync(pixels), Number(side)]
const planes = MEAN.map((mean, channel) =>
  Array.from({ length: size * size }, (_, place) => (bytes[3 * place + channel] / 255 - mean) / DEVIATION[channel]),
)
const [fine, middle, embedding] = await run(encoder, [floats([1, 3, size, size], planes.flat())])

const [small, masks] = [size / 4, []]
for (const marks of JSON.parse(prompts)) {
  const points = floats([1, marks.length, 2], marks.flatMap(([x, y]) => [x, y]))
  const labels = floats([1, marks.length], marks.map((mark) => mark[2]))
  const nothing = floats([1, 1, small, small], new Float32Array(small * small))
  const [logits, scores] = await run(decoder, [embedding, fine, middle, points, labels, nothing, floats([1], [0])])
  const best = scores.data.indexOf(Math.max(...scores.data))
  masks.push(logits.data.slice(best * small * small, (best + 1) * small * small))
}
writeFileSync(out, Buffer.concat(masks.map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength))))
console.log(masks.length)
