/** Counts how often values come back into JavaScript: what compile could not record. */
import { eager } from "nabla/internal";

/** Counts at the door until the function that it returns is called, which gives the count. */
export function startCounting(): () => number {
  const { read, item } = eager;
  let reads = 0;
  eager.read = (target) => {
    reads++;
    read(target);
  };
  eager.item = () => {
    reads++;
    return item();
  };
  return () => {
    Object.assign(eager, { read, item });
    return reads;
  };
}

export function countReads(run: () => unknown): number {
  const stop = startCounting();
  try {
    run();
    return stop();
  } finally {
    stop();
  }
}
