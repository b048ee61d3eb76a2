/**
 * Parts of Node's modules, taken by `require`: an import by name has Node evaluate every export of the module, and with
 * them its argument parser, MIME types, File and timers/promises, at each start.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const { types } = require("node:util") as typeof import("node:util");
export const { constants: bufferConstants } = require("node:buffer") as typeof import("node:buffer");
export const { clearInterval, setInterval } = require("node:timers") as typeof import("node:timers");
