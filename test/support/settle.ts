/** Memory that can go is gone: for tests that count what is left. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addon } from "nabla/internal";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export function settle(): void {
  for (let i = 0; i < 3; i++) {
    collect();
    addon.flush();
    addon.reclaim();
  }
}
