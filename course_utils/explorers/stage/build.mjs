// Bundle the stage and every explorer beside it into one file: node build.mjs [OUTFILE]
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";

const here = dirname(fileURLToPath(import.meta.url)), folder = dirname(here);
const packages = process.env.STAGE_PACKAGES ?? join(here, "node_modules");
const { build } = createRequire(join(packages, "x.js"))("esbuild");
const modules = readdirSync(folder).filter((name) => /^[a-z_]+\.js$/.test(name)).sort();
const name = (file) => file.slice(0, -3);
const entry = [
  'import { render as show } from "./stage/stage.js";',
  ...modules.map((file) => `import ${name(file)} from "./${file}";`),
  `const explorers = { ${modules.map(name).join(", ")} };`,
  "export { explorers };", // for the tests in Node, as the next lines
  'export { Generator } from "./stage/random.js";',
  'export * as numbers from "./stage/numbers.js";',
  "export default { render: (options) => show(options, explorers) };",
];
// From that one folder, whatever others there are on the way.
function fromPackages(bundler) {
  bundler.onResolve({ filter: /^d3-/ }, ({ path, kind, pluginData }) =>
    pluginData ? null : bundler.resolve(path, { kind, resolveDir: packages, pluginData: true }));
}
await build({
  stdin: { contents: entry.join("\n"), resolveDir: folder },
  bundle: true, format: "esm", minify: true, charset: "ascii", legalComments: "none",
  loader: { ".css": "text" },
  plugins: [{ name: "packages", setup: fromPackages }],
  outfile: process.argv[2] ?? join(here, "bundle.js"),
});
