// Bundle the stage and every explorer beside it into one file: node build.mjs [OUTFILE]
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const OLD = ["page.js", "replay.js"];
const here = dirname(fileURLToPath(import.meta.url)), folder = dirname(here);
const modules = readdirSync(folder).filter((name) => /^[a-z_]+\.js$/.test(name) && !OLD.includes(name)).sort();
const name = (file) => file.slice(0, -3);
const entry = [
  'import { render as show } from "./stage/stage.js";',
  ...modules.map((file) => `import ${name(file)} from "./${file}";`),
  `const explorers = { ${modules.map(name).join(", ")} };`,
  "export { explorers };",
  "export default { render: (options) => show(options, explorers) };",
];
await build({
  stdin: { contents: entry.join("\n"), resolveDir: folder },
  bundle: true, format: "esm", minify: true, charset: "ascii", legalComments: "none",
  loader: { ".css": "text" },
  nodePaths: [join(here, "node_modules")],
  outfile: process.argv[2] ?? join(here, "bundle.js"),
});
