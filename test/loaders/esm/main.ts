// Prints what DataParallel says of the job beside it, by way of making it and number of workers.
import { DataParallel, manualSeed, ones } from "nabla";

const url = new URL("./job.ts", import.meta.url);
const said: Record<string, number | string> = {};
for (const [how, workers] of [["load", 0], ["load", 2], ["new", 2]] as const) // biome-ignore format: pairs
  try {
    manualSeed(1);
    const options = { workers, args: 3 };
    const dp = how === "load" ? await DataParallel.load(url, options) : new DataParallel(url, options);
    said[`${how}/${workers}`] = (await dp.backward([ones([8, 2]), ones([8, 1])])).item();
    await dp.close();
  } catch (error) {
    said[`${how}/${workers}`] = String(error);
  }
console.log(JSON.stringify(said));
