/**
 * Parts of Node's modules, taken by `require`: an import by name has Node evaluate every export of the module, and with
 * them its argument parser, MIME types, File and timers/promises, at each start.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Modules that take milliseconds to load, and that most programs never need. */
export const onDemand = {
  get crypto(): typeof import("node:crypto") {
    return require("node:crypto") as typeof import("node:crypto");
  },
  get os(): typeof import("node:os") {
    return require("node:os") as typeof import("node:os");
  },
  get zlib(): typeof import("node:zlib") {
    return require("node:zlib") as typeof import("node:zlib");
  },
};

export const { promisify, types } = require("node:util") as typeof import("node:util");
export const { constants: bufferConstants } = require("node:buffer") as typeof import("node:buffer");
export const { clearInterval, setInterval } = require("node:timers") as typeof import("node:timers");
