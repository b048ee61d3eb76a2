// Saves a large tensor: node save.mjs PATH. Meant to be stopped or killed on the way.
import { saveSafetensors, zeros } from "../../../dist/index.js";

const w = zeros([200 * 2 ** 20], { dtype: "uint8" });
for (;;) await saveSafetensors(process.argv[2], { w });
