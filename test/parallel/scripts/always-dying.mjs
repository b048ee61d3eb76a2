import { DataParallel, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";

const deaths = new Int32Array(new SharedArrayBuffer(4)).fill(1e9);
const dp = new DataParallel(job("mortal"), { workers: 2, args: { deaths, how: "exit" } });
const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const failed = await dp.backward(batch).catch((error) => ({ code: error.code, message: error.message }));
deaths[0] = 0;
const loss = (await dp.backward(batch)).item();
await dp.close();
print({ failed, loss });
