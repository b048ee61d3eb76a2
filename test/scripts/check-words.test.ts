/** The check of words finds each retired name and phrase where it is retired, and nothing else. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const script = pathToFileURL(join(import.meta.dirname, "..", "..", "scripts", "check-words.mjs")).href;
const { retiredIn } = (await import(script)) as { retiredIn(path: string, text: string): string[] };

test.each([
  ["native/exec/norm/norm.cc", "const bool past_cache = leaves_cache(y);", "streaming (non-temporal) store"],
  ["native/kernels/norm.h", "// Results may go past the cache.", "streaming (non-temporal) store"],
  ["native/kernels/simd/avx512.h", "constexpr int64_t kReadAhead = 8192;", "prefetch"],
  ["native/kernels/simd/avx512.h", "// the next panel of B is fetched ahead", "prefetch"],
  ["lib/ops/solve.ts", "const turned = transpose(a);", "transposed"],
  ["native/kernels/gemm-pack-inl.h", "load_turned(v, p);", "transposed"],
  ["native/exec/conv/conv.cc", "// the matrix of windows", "im2col or patches"],
  ["native/exec/conv/pool2d.cc", "WindowBlock<float> block(w, x);", "im2col"],
  ["lib/ops/attention.ts", "const kept = c.aside();", "residual output"],
  ["native/exec/attention/attention.cc", "Status take(const View& aside);", "residual output"],
  ["lib/engine/batched.ts", "class Lanes extends Tensor {", "batch axis, batched, or one example"],
  ["lib/autograd/vmap.ts", "/** Run lane by lane. */", "batch axis, batched, or one example"],
  ["lib/engine/apply.ts", "return applyWide(row, inputs);", "float32 fallback, keepFloat32"],
  ["lib/tensor/create.ts", "if (frame.underPressure()) relieve();", "reclaim"],
  ["native/binding/environment.cc", "int64_t Environment::walk() {", "reclaim"],
  ["lib/autograd/backward.ts", "handOn(node, g);", "propagate"],
  ["lib/autograd/backward.ts", "/** Adds g to what has arrived. */", "accumulate"],
  ["lib/autograd/backward.ts", "drop(g);", "release"],
  ["lib/engine/modes.ts", "spendsGraph: false,", "freesGraph, freeingGraph"],
  ["lib/nn/linear.ts", "/** Whether a bias is added; true unless given. */", '"default 0.9", not "0.9 unless given"'],
])("%s: %s", (path, line, term) => {
  const faults = retiredIn(path, `first\n${line}\nlast`);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^${path}:2: ".+": write `));
  expect(faults[0]).toContain(term);
});

test.each([
  ["native/kernels/simd/avx2.h", "static constexpr int kLanes = 8;  // lanes of a vector"],
  ["lib/ops/pool.ts", "/** The largest element under each window; windows may overlap. */"],
  ["lib/nn/walk.ts", "export function* walk(root: Holder) {"],
  ["lib/ops/attention.ts", "const dropped = drop(weights);"],
  ["lib/parallel/serve.ts", "// Errors arrive as the caller would see them inline."],
  ["lib/optim/optimizer.ts", "/** What turned into a step; momentum is turned off. */"],
  ["native/exec/index/index.cc", "class Walk {"],
])("%s may say: %s", (path, line) => {
  expect(retiredIn(path, line)).toEqual([]);
});
