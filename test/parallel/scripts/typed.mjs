import { DataParallel, manualSeed, tensor, zeros } from "nabla";
import { print } from "./common.mjs";

const url = new URL("../jobs/typed.ts", import.meta.url);
const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const said = {};
for (const workers of [0, 2])
  for (const how of ["load", "new"])
    try {
      manualSeed(1);
      const options = { workers, args: { width: 5 } };
      const dp = how === "load" ? await DataParallel.load(url, options) : new DataParallel(url, options);
      said[`${how}/${workers}`] = (await dp.backward(batch)).item();
      await dp.close();
    } catch (error) {
      said[`${how}/${workers}`] = `${error.name} ${error.code}: ${error.message}`;
    }
print(said);
