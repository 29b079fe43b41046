// MODULES FOLDER PIXELS SIDE PROMPTS OUT: masks by transformers.js, best of three, one byte a pixel.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, folder, pixels, side, prompts, out] = process.argv.slice(2)
const library = `${modules}/@huggingface/transformers/dist/transformers.node.mjs`
const { AutoProcessor, RawImage, Sam2Model, env } = await import(pathToFileURL(library).href)

const wasm = pathToFileURL(`${modules}/onnxruntime-node/dist/ort-wasm-simd-threaded`).href
env.backends.onnx.wasm.wasmPaths = { mjs: `${wasm}.mjs`, wasm: `${wasm}.wasm` }
Object.assign(env, { allowRemoteModels: false, useWasmCache: false, localModelPath: dirname(folder) })

const model = await Sam2Model.from_pretrained(basename(folder), { dtype: 'fp32' })
const processor = await AutoProcessor.from_pretrained(basename(folder))
const image = new RawImage(new Uint8ClampedArray(readFileSync(pixels)), Number(side), Number(side), 3)

const masks = []
for (const prompt of JSON.parse(prompts)) {
  const inputs = await processor(image, prompt)
  const { pred_masks, iou_scores } = await model(inputs)
  const [logits] = await processor.post_process_masks(pred_masks, inputs.original_sizes, inputs.reshaped_input_sizes)
  const size = Number(side) ** 2
  for (let object = 0; object < iou_scores.dims[1]; object++) {
    const scores = iou_scores.data.slice(3 * object, 3 * object + 3)
    const best = 3 * object + scores.indexOf(Math.max(...scores))
    masks.push(logits.data.slice(best * size, (best + 1) * size))
  }
}
writeFileSync(out, Buffer.concat(masks))
console.log(masks.length)
