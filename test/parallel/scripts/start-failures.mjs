// Jobs that load here and fail to start in workers.
import { DataParallel, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";

const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const said = {};
for (const how of ["missing", "syntax", "throws", "exits", "no default"]) {
  const url = job("starting");
  url.searchParams.set("how", how);
  const dp = await DataParallel.load(url, { workers: 2 });
  said[how] = await dp.backward(batch).then(
    () => "finished",
    (error) => `${error.name} ${error.code}: ${error.message}`,
  );
  await dp.close();
}
print(said);
