// node classify.js MODULE.wasm MANIFEST.json PICTURES.bin: class and score of each picture.

const fs = require("fs");
const {load, best} = require("./program.js");

async function main(module, manifestFile, pictures) {
  const program = await load(fs.readFileSync(module), JSON.parse(fs.readFileSync(manifestFile)));
  const bytes = fs.readFileSync(pictures), size = program.manifest.input.shape.reduce((x, y) => x * y, 1);
  for (let at = 0; at + size <= bytes.length; at += size) {
    const scores = program.run(bytes.subarray(at, at + size))[0], found = best(scores);
    console.log(`${found} ${scores[found]}`);
  }
}

main(...process.argv.slice(2));
