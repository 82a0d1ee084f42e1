// A program of `vitq-opt --target=c` that clang compiled to WebAssembly, for pages and for Node.js:
//   const program = await load(bytesOfTheModule, manifest);
//   const scores = program.run(pixels); // one Int32Array for each output

const align = (address, to) => Math.ceil(address / to) * to;

async function load(bytes, manifest) {
  const {instance} = await WebAssembly.instantiate(bytes, {});
  const {memory, __heap_base: heap, [`${manifest.name}_run`]: run} = instance.exports;
  const size = (array) => array.shape.reduce((x, y) => x * y, 1) * (parseInt(array.dtype.replace(/\D+/, "")) / 8);
  const arena = align(heap.value, manifest.arena_align);
  const input = align(arena + manifest.arena_bytes, manifest.arena_align);
  const output = align(input + size(manifest.input), manifest.arena_align);
  const last = manifest.outputs[manifest.outputs.length - 1];
  const end = output + last.offset + last.bytes, page = 65536;
  if (end > memory.buffer.byteLength)
    memory.grow(Math.ceil((end - memory.buffer.byteLength) / page));
  return {
    manifest,
    run(pixels) {
      if (pixels.length !== size(manifest.input))
        throw new Error(`${pixels.length} bytes; the program takes ${size(manifest.input)}`);
      new Uint8Array(memory.buffer, input, pixels.length).set(pixels);
      if (run(input, output, arena) !== 0)
        throw new Error("the program failed");
      return manifest.outputs.map((one) => new Int32Array(memory.buffer, output + one.offset, one.bytes / 4).slice());
    },
  };
}

const best = (scores) => scores.reduce((found, score, i) => (score > scores[found] ? i : found), 0);

if (typeof module !== "undefined")
  module.exports = {load, best};
