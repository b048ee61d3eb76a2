// A data set for the workers of a loader: numbers, with random ones beside them.
import { rand, tensor } from "nabla";

export default ({ length, fails = -1, dies = -1, deaths = null, waits = false, misfit = 0, odd = false }) => ({
  length: length + misfit,
  async at(i, { epoch, random }) {
    if (i === fails) throw new RangeError("unreadable");
    if (i === dies && (deaths === null || Atomics.add(deaths, 0, 1) === 0)) process.exit(3);
    // Later samples are ready first.
    if (waits) await new Promise((resolve) => setTimeout(resolve, (length - i) % 7));
    if (odd) return { f: () => i };
    return { x: tensor([i, epoch]), r: rand([3], { generator: random }), name: `n${i}`, i };
  },
});
