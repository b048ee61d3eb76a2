// What tsx and others do: ES modules that are required are compiled to CommonJS, so that a program that imports nabla and
// requires a module that imports it as well has two.
const { readFileSync } = require("node:fs");
const Module = require("node:module");
const { pathToFileURL } = require("node:url");
const { transformSync } = require("esbuild");

const builtIn = Module._extensions[".js"];
for (const ending of [".js", ".mjs"])
  Module._extensions[ending] = (module, filename) => {
    if (/[\\/]node_modules[\\/]/.test(filename)) return builtIn(module, filename);
    const define = { "import.meta.url": JSON.stringify(pathToFileURL(filename).href) };
    const { code } = transformSync(readFileSync(filename, "utf8"), { format: "cjs", platform: "node", define });
    module._compile(code, filename);
  };
