// Run an explorer's compute and sentence in Node: lines of {explorer, settings, given} in, results out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { explorers } = await import(pathToFileURL(process.argv[2]));
const plain = (_, value) =>
  ArrayBuffer.isView(value) ? Array.from(value)
  : typeof value === "function" ? undefined
  : typeof value === "number" && !Number.isFinite(value) ? String(value)
  : value;
for await (const line of createInterface({ input: process.stdin })) {
  const { explorer, settings, given } = JSON.parse(line);
  try {
    const { compute, sentence } = explorers[explorer], result = compute(settings, given);
    console.log(JSON.stringify({ result, sentence: sentence(settings, result, given) }, plain));
  } catch (error) {
    console.log(JSON.stringify({ error: error.stack }));
  }
}
