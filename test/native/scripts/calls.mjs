// Calls of every kernel, described as data: well-formed ones, which fuzz.mjs then spoils.
import { kernelNames, layout } from "../../../dist/internal.js";

export const dtypes = layout.dtypes;
const floats = ["float32", "float64"];
const integers = ["int32", "int64", "uint8"];

export function generator(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] };
}

const product = (shape) => shape.reduce((n, size) => n * size, 1);
export const fresh = (dtype, shape) => ({ kind: "fresh", dtype, shape });
export const scalar = (dtype, value) => ({ kind: "scalar", dtype, shape: [], value });

/** Calls with operands in the given storages, by the random numbers of `r`. */
export function calls(r, storages) {
  const size = () => (r.chance(0.1) ? 0 : 1 + r.below(4));
  const shapeOf = (rank) => Array.from({ length: rank }, size);
  const anyShape = () => shapeOf(r.below(5));

  /** Somewhere in a storage of the dtype: row-major, or with any strides that stay inside. */
  function view(dtype, shape, plain = false) {
    const storage = r.pick(storages.filter((s) => s.dtype === dtype));
    const n = product(shape);
    const strides = new Array(shape.length).fill(0);
    let step = 1;
    const order = shape.map((_, i) => i).reverse();
    if (!plain) order.sort(() => r.next() - 0.5);
    for (const i of order) {
      strides[i] = step;
      step *= Math.max(shape[i], 1);
    }
    const room = storage.elements - n;
    if (room < 0) return fresh(dtype, shape); // refused: it has no elements to read
    let offset = r.below(room + 1);
    if (!plain)
      for (let i = 0; i < shape.length; i++) {
        const kind = r.below(20);
        if (kind < 3) strides[i] = 0;
        else if (kind < 6 && shape[i] > 0) {
          offset += strides[i] * (shape[i] - 1);
          strides[i] = -strides[i];
        }
      }
    return {
      kind: "view",
      storage,
      dtype,
      shape,
      strides: plain && r.chance(0.8) ? null : strides,
      offset,
      save: r.chance(0.2),
    };
  }
  const plain = (dtype, shape) => view(dtype, shape, true);
  const out = (dtype, shape) =>
    r.chance(0.3) ? { ...view(dtype, shape, r.chance(0.6)), write: true } : fresh(dtype, shape);
  const plainOut = (dtype, shape) => (r.chance(0.3) ? { ...plain(dtype, shape), write: true } : fresh(dtype, shape));

  const float = () => r.pick(floats);
  /** What a factor of a product of that dtype may be stored as. */
  const stored = (dtype) => (dtype === "float32" && r.chance(0.5) ? "bfloat16" : dtype);
  const any = () => r.pick(Object.keys(dtypes));
  const index = (shape) => plain(r.pick(integers), shape);
  /** The gradient of logits of 8 classes by those of their rows. */
  const slopesOfRows = (attrs) => {
    const [rows] = shapeOf(1);
    const dtype = float();
    return {
      outs: [plainOut(dtype, [rows, 8])],
      ins: [view(dtype, [rows]), plain(dtype, [rows, 8]), index([rows])],
      attrs,
    };
  };
  const key = () => [r.below(2 ** 32), r.below(2 ** 32), r.below(1000)];
  const without = (shape, dim) => shape.filter((_, i) => i !== dim);
  const withSize = (shape, dim, n) => shape.map((old, i) => (i === dim ? n : old));

  const reduction = () => {
    const x = anyShape();
    const mask = r.below(2 ** x.length);
    const dtype = any();
    return {
      outs: [
        out(
          r.chance(0.8) ? dtype : "int64",
          x.filter((_, i) => !(mask & (1 << i))),
        ),
      ],
      ins: [view(dtype, x)],
      attrs: [mask],
    };
  };
  const argReduction = () => {
    const x = shapeOf(1 + r.below(4));
    const dim = r.below(x.length);
    return { outs: [out("int32", without(x, dim))], ins: [view(any(), x)], attrs: [dim] };
  };
  const alongRows = (inputs) => () => {
    const shape = shapeOf(1 + r.below(3));
    const dtype = float();
    return {
      outs: [plainOut(dtype, shape)],
      ins: Array.from({ length: inputs }, () => plain(dtype, shape)),
      attrs: [],
    };
  };
  const alongDim = () => {
    const shape = shapeOf(1 + r.below(3));
    const dim = r.below(shape.length);
    return { dtype: float(), shape, kept: shape.filter((_, d) => d !== dim), attrs: [1 << dim] };
  };
  const divisor = () => r.pick([1, 2, 0.5]);
  const moment = () => {
    const { dtype, shape, kept, attrs } = alongDim();
    return { outs: [plainOut(dtype, kept)], ins: [view(dtype, shape)], attrs: [...attrs, divisor()] };
  };
  const momentBackward = (results) => () => {
    const { dtype, shape, kept, attrs } = alongDim();
    const rest = Array.from({ length: results }, () => plain(dtype, kept));
    const ins = [rest[0], plain(dtype, shape), ...rest.slice(1)];
    return { outs: [plainOut(dtype, shape)], ins, attrs: [...attrs, divisor()] };
  };
  const gradientAlongDim = () => {
    const { dtype, shape, kept, attrs } = alongDim();
    return { outs: [plainOut(dtype, shape)], ins: [plain(dtype, kept), plain(dtype, shape)], attrs };
  };
  const scan = (inputs) => () => {
    const shape = shapeOf(1 + r.below(3));
    const dtype = r.pick([...floats, "int64"]);
    return {
      outs: [plainOut(dtype, shape)],
      ins: Array.from({ length: inputs }, () => plain(dtype, shape)),
      attrs: [r.below(shape.length)],
    };
  };
  const updates = (state, attrs) => () => {
    const dtype = float();
    const shapes = Array.from({ length: 1 + r.below(3) }, anyShape);
    const each = () => shapes.map((shape) => ({ ...plain(dtype, shape), write: true }));
    return {
      outs: Array.from({ length: 1 + r.pick(state) }, each).flat(),
      ins: shapes.map((shape) => plain(dtype, shape)),
      attrs: attrs(),
    };
  };
  /** From matrices [.., m, n] with m >= n (or [.., n, n]) to results of the given trailing shape. */
  const ofMatrices = (square, trailing, attrs, right) => () => {
    const batch = shapeOf(r.below(3));
    const dtype = float();
    const n = size();
    const m = square ? n : n + r.below(3);
    const k = size();
    return {
      outs: [plainOut(dtype, [...batch, ...trailing(m, n, k)])],
      ins: [plain(dtype, [...batch, m, n]), ...(right ? [plain(dtype, [...batch, n, k])] : [])],
      attrs: attrs(),
    };
  };
  const nothing = () => [];

  /** A window at its places in an image that it fits into, and its strides, paddings and dilations. */
  const sliding = () => {
    const two = (n) => [1 + r.below(n), 1 + r.below(n)];
    const [window, stride, dilation] = [two(3), two(3), two(2)];
    const padding = [r.below(2), r.below(2)];
    const out = two(3);
    const image = out.map((n, d) =>
      Math.max((n - 1) * stride[d] + dilation[d] * (window[d] - 1) + 1 - 2 * padding[d], 0),
    );
    return { image, window, out, numbers: [...stride, ...padding, ...dilation] };
  };
  const convolution = (arrange) => () => {
    const { image, window, out, numbers } = sliding();
    const dtype = float();
    const groups = 1 + r.below(2);
    const [n, c, o] = [r.below(3), r.below(3), r.below(3)];
    const shapes = [
      [n, c * groups, ...image],
      [o * groups, c, ...window],
      [n, o * groups, ...out],
    ];
    const [first, ...ins] = arrange(shapes);
    return {
      outs: [plainOut(dtype, first)],
      ins: ins.map((shape) => plain(dtype, shape)),
      attrs: [...numbers, groups],
    };
  };

  /** What both directions of attention take. With many keys, each of them is the same one. */
  const attending = () => {
    const dtype = float();
    const lead = shapeOf(r.below(2));
    const [groups, queries, depth, width] = shapeOf(4);
    const long = r.chance(0.2);
    const keys = long ? 1 + r.below(300) : size();
    const over = (kind, shape, dim) => {
      if (!long) return view(kind, shape);
      const one = view(kind, withSize(shape, dim, 1));
      return one.kind === "view" ? { ...one, shape, strides: withSize(one.strides, dim, 0) } : one;
    };
    const rows = [...lead, groups, queries];
    const n = lead.length;
    return {
      dtype,
      out: [...rows, width],
      residual: r.pick([rows, [...rows, keys + 1 + r.below(3)]]),
      qkv: [
        view(dtype, [...rows, depth]),
        over(dtype, [...lead, keys, depth], n),
        over(dtype, [...lead, keys, width], n),
      ],
      mask: r.chance(0.4) ? [over(r.pick(["bool", dtype]), [...rows, keys], n + 2)] : [],
      attrs: [r.pick([1, 0.5, -1, 0]), r.below(2), ...(r.chance(0.3) ? [0.9 * r.next(), ...key()] : [0])],
    };
  };

  const means = (arrange) => () => {
    const { image, window, out, numbers } = sliding();
    const dtype = float();
    const lead = shapeOf(r.below(3)).map((n) => Math.min(n, 3));
    const [to, from] = arrange([image, out]).map((sizes) => [...lead, ...sizes]);
    return {
      outs: [plainOut(dtype, to)],
      ins: [plain(dtype, from)],
      attrs: [...numbers.slice(0, 4), r.pick([1, 1, 2]), 1, ...window, r.pick([1, 4])],
    };
  };

  const affine = () => {
    const [m, k, n] = shapeOf(3);
    const dtype = float();
    return {
      outs: [plainOut(dtype, [m, n])],
      ins: [view(stored(dtype), [m, k]), view(stored(dtype), [n, k]), plain(dtype, [n])],
      attrs: [],
    };
  };

  const own = {
    sum: reduction,
    prod: reduction,
    amax: reduction,
    amin: reduction,
    all: reduction,
    any: reduction,
    argmax: argReduction,
    argmin: argReduction,
    matmul: () => {
      const [m, k, n] = shapeOf(3);
      const batch = shapeOf(r.below(3));
      const dtype = r.pick([...floats, "int32", "int64"]);
      const cut = (shape) =>
        r.chance(0.3) ? shape.slice(r.below(shape.length + 1)) : shape.map((s) => (r.chance(0.2) ? 1 : s));
      return {
        outs: [plainOut(dtype, [...batch, m, n])],
        ins: [view(stored(dtype), [...cut(batch), m, k]), view(stored(dtype), [...cut(batch), k, n])],
        attrs: [],
      };
    },
    addmm: () => {
      const [m, k, n] = shapeOf(3);
      const batch = shapeOf(r.below(2));
      const dtype = r.pick([...floats, "int32", "int64"]);
      const cut = (shape) => (r.chance(0.3) ? [] : shape);
      return {
        outs: [plainOut(dtype, [...batch, m, n])],
        ins: [
          (r.chance(0.5) ? plain : view)(dtype, [...batch, m, n]),
          view(stored(dtype), [...cut(batch), m, k]),
          view(stored(dtype), [...cut(batch), k, n]),
        ],
        attrs: [],
      };
    },
    linear: affine,
    linearRelu: affine,
    indexSelect: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const n = size();
      const dtype = any();
      return {
        outs: [plainOut(dtype, withSize(x, dim, n))],
        ins: [plain(dtype, x), index([n])],
        attrs: [dim, r.below(2)],
      };
    },
    indexAdd: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const n = size();
      const dtype = any();
      return {
        outs: [plainOut(dtype, x)],
        ins: [view(dtype, x), index([n]), plain(dtype, withSize(x, dim, n))],
        attrs: [dim, r.below(2)],
      };
    },
    gather: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const shape = withSize(x, dim, size());
      const dtype = any();
      return { outs: [plainOut(dtype, shape)], ins: [view(dtype, x), index(shape)], attrs: [dim, r.below(2)] };
    },
    scatter: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const shape = withSize(x, dim, size());
      const dtype = any();
      return {
        outs: [plainOut(dtype, x)],
        ins: [view(dtype, x), index(shape), view(dtype, shape)],
        attrs: [dim, r.below(2), r.below(2)],
      };
    },
    cat: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const sizes = Array.from({ length: r.below(4) }, size);
      const dtype = any();
      return {
        outs: [
          out(
            dtype,
            withSize(
              x,
              dim,
              sizes.reduce((a, b) => a + b, 0),
            ),
          ),
        ],
        ins: sizes.map((n) => view(r.chance(0.8) ? dtype : any(), withSize(x, dim, n))),
        attrs: [dim],
      };
    },
    embed: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      const step = r.pick([1, 2, -1, 0.5]);
      const start = r.below(3);
      const n = start + Math.ceil(Math.abs(step)) * x[dim] + r.below(3);
      const dtype = any();
      return {
        outs: [plainOut(dtype, withSize(x, dim, n))],
        ins: [view(dtype, x)],
        attrs: [dim, step < 0 ? n - 1 : start, step],
      };
    },
    cumsum: scan(1),
    cumprod: scan(1),
    linearScan: scan(2),
    order: () => {
      const x = shapeOf(1 + r.below(3));
      const dim = r.below(x.length);
      return {
        outs: [plainOut("int32", withSize(x, dim, r.below(x[dim] + 1)))],
        ins: [plain(any(), x)],
        attrs: [dim, r.below(2)],
      };
    },
    searchsorted: () => {
      const x = shapeOf(1 + r.below(3));
      const alike = withSize(x, x.length - 1, size());
      const values = r.pick([alike, [size(), ...alike], anyShape()]);
      const dtype = any();
      return {
        outs: [plainOut("int32", values)],
        ins: [plain(dtype, values.length >= x.length ? x : x.slice(-1)), plain(dtype, values)],
        attrs: [r.below(2)],
      };
    },
    // How many are true is a guess.
    nonzero: () => {
      const mask = anyShape();
      const count = r.below(product(mask) + 1);
      return {
        outs: [plainOut("int32", r.pick([[count], [count, mask.length]]))],
        ins: [plain("bool", mask)],
        attrs: [],
      };
    },
    exactly: () => {
      const shape = anyShape();
      return { outs: [plainOut(r.pick([...integers, "bool"]), shape)], ins: [view(any(), shape)], attrs: [] };
    },
    within: () => {
      const shape = anyShape();
      const dtype = r.pick([...floats, "bfloat16", "float16"]);
      return { outs: [plainOut(dtype, shape)], ins: [view(dtype, shape)], attrs: [r.pick([-3, 0]), r.pick([1, 3e38])] };
    },
    places: () => {
      const shape = anyShape();
      return { outs: [plainOut("int64", shape)], ins: [view(r.pick(integers), shape)], attrs: [r.below(20)] };
    },
    weights: () => {
      const shape = shapeOf(1 + r.below(3));
      const dtype = r.pick([...floats, "bfloat16", "float16"]);
      return { outs: [plainOut("float64", shape)], ins: [plain(dtype, shape)], attrs: [r.below(3)] };
    },
    permutation: () => ({
      outs: [plainOut(r.pick(["int32", "int64"]), shapeOf(1 + r.below(2)))],
      ins: [],
      attrs: key(),
    }),
    empty: () => ({ outs: [out(any(), anyShape())], ins: [], attrs: [] }),
    arange: () => ({ outs: [plainOut(any(), [r.below(20)])], ins: [], attrs: [r.below(9) - 4, r.pick([1, -3, 0.25])] }),
    uniform: () => ({ outs: [plainOut(float(), anyShape())], ins: [], attrs: key() }),
    normal: () => ({ outs: [plainOut(float(), anyShape())], ins: [], attrs: key() }),
    randomIntegers: () => ({
      outs: [plainOut(r.pick(["int32", "int64"]), anyShape())],
      ins: [],
      attrs: [...key(), r.below(9) - 4, 1 + r.below(9)],
    }),
    dropout: () => {
      const shape = anyShape();
      const dtype = float();
      return { outs: [plainOut(dtype, shape)], ins: [plain(dtype, shape)], attrs: [...key(), r.next()] };
    },
    softmax: alongRows(1),
    logSoftmax: alongRows(1),
    meanSquare: moment,
    logsumexp: () => {
      const { dtype, shape, kept, attrs } = alongDim();
      return { outs: [plainOut(dtype, kept)], ins: [plain(dtype, shape)], attrs };
    },
    var: moment,
    std: moment,
    varBackward: momentBackward(1),
    stdBackward: momentBackward(2),
    normBackward: momentBackward(2),
    logsumexpBackward: gradientAlongDim,
    prodBackward: gradientAlongDim,
    softmaxBackward: alongRows(2),
    logSoftmaxBackward: alongRows(2),
    crossEntropy: () => {
      const [rows] = shapeOf(1);
      const dtype = float();
      return {
        outs: [plainOut(dtype, [rows]), ...(r.below(2) === 0 ? [] : [plainOut(dtype, [rows, 8])])],
        ins: [plain(dtype, [rows, 8]), index([rows])],
        attrs: [r.pick([-100, -1]), r.below(2)],
      };
    },
    crossEntropyFinish: () => slopesOfRows([r.pick([-100, -1]), r.below(2)]),
    crossEntropyBackward: () => slopesOfRows([r.pick([-100, -1])]),
    standardize: () => {
      const shape = shapeOf(1 + r.below(3));
      const dtype = float();
      const factors = Array.from({ length: r.below(3) }, () => plain(dtype, shape.slice(-1)));
      return {
        outs: [plainOut(dtype, shape)],
        ins: [plain(dtype, shape), ...factors],
        attrs: [r.pick([0, 1e-5]), r.below(2)],
      };
    },
    standardizeBackward: () => ({ ...alongRows(2)(), attrs: [r.pick([0, 1e-5]), r.below(2)] }),
    batchNorm: () => {
      const shape = shapeOf(2 + r.below(3));
      const dtype = float();
      const of = () => plain(dtype, [shape[1]]);
      const moments = r.below(3); // given, wanted, neither
      return {
        outs: [plainOut(dtype, shape), ...(moments === 1 ? [plainOut(dtype, [3, shape[1]])] : [])],
        ins: [plain(dtype, shape), of(), of(), ...(moments === 0 ? [plain(dtype, [2, shape[1]])] : [])],
        attrs: [r.next()],
      };
    },
    batchNormBackward: () => {
      const shape = shapeOf(2 + r.below(3));
      const dtype = float();
      const of = [shape[1]];
      return {
        outs: [plainOut(dtype, shape), plainOut(dtype, of), plainOut(dtype, of)],
        ins: [plain(dtype, shape), plain(dtype, shape), plain(dtype, of), plain(dtype, [3, shape[1]])],
        attrs: [r.next()],
      };
    },
    scaledNormBackward: () => {
      const shape = shapeOf(1 + r.below(3));
      const dtype = float();
      const row = shape.slice(-1);
      return {
        outs: [plainOut(dtype, shape), plainOut(dtype, row), plainOut(dtype, row)],
        ins: [plain(dtype, shape), plain(dtype, shape), plain(dtype, row)],
        attrs: [r.pick([0, 1e-5]), r.below(2)],
      };
    },
    attention: () => {
      const { dtype, out, residual, qkv, mask, attrs } = attending();
      const kept = r.chance(0.6) ? [plainOut(dtype, residual)] : [];
      return { outs: [plainOut(dtype, out), ...kept], ins: [...qkv, ...mask], attrs };
    },
    attentionBackward: () => {
      const { dtype, out, residual, qkv, mask, attrs } = attending();
      return {
        outs: qkv.map(({ shape }) => plainOut(dtype, shape)),
        ins: [view(dtype, out), plain(dtype, out), ...qkv, plain(dtype, residual), ...mask],
        attrs,
      };
    },
    conv2d: convolution(([x, w, y]) => [y, x, w]),
    conv2dInput: convolution(([x, w, y]) => [x, y, w]),
    conv2dWeight: convolution(([x, w, y]) => [w, y, x]),
    maxPool2dIndices: () => {
      const { image, window, out, numbers } = sliding();
      const lead = shapeOf(r.below(3)).map((n) => Math.min(n, 3));
      return {
        outs: [plainOut("int32", [...lead, ...out])],
        ins: [plain(any(), [...lead, ...image])],
        attrs: [...numbers, ...window],
      };
    },
    avgPool2d: means(([x, y]) => [y, x]),
    avgPool2dBackward: means(([x, y]) => [x, y]),
    mse: () => {
      const shape = anyShape();
      const dtype = float();
      return { outs: [plainOut(dtype, [])], ins: [plain(dtype, shape), plain(dtype, shape)], attrs: [] };
    },
    mseBackward: () => {
      const shape = anyShape();
      const dtype = float();
      return {
        outs: [plainOut(dtype, shape)],
        ins: [plain(dtype, []), plain(dtype, shape), plain(dtype, shape)],
        attrs: [],
      };
    },
    cholesky: ofMatrices(true, (_, n) => [n, n], nothing),
    triangularSolve: ofMatrices(
      true,
      (_, n, k) => [n, k],
      () => [r.below(2), r.below(2)],
      true,
    ),
    solve: ofMatrices(true, (_, n, k) => [n, k], nothing, true),
    det: ofMatrices(true, () => [], nothing),
    cofactors: ofMatrices(true, (_, n) => [n, n], nothing),
    slogdet: ofMatrices(true, () => [2], nothing),
    qr: ofMatrices(false, (m, n) => [m + n, n], nothing),
    eigh: ofMatrices(true, (_, n) => [n + 1, n], nothing),
    svd: ofMatrices(false, (m, n) => [m + 1 + n, n], nothing),
    pinv: ofMatrices(
      false,
      (m, n) => [n, m],
      () => [r.next()],
    ),
    sgd: updates([0, 1], () => [0.1, 0.9, 0, 0.01, r.below(2), r.below(2)]),
    adam: updates([2], () => [0.1, 0.9, 0.99, 1e-8, 0.01, 1 + r.below(100), r.below(2)]),
    rmsprop: updates([1, 2, 3], () => [0.1, 0.9, 1e-8, 0.01, 0.9]),
    adagrad: updates([1], () => [0.1, 0.01, 1e-8, 0.1, r.below(2)]),
    lion: updates([1], () => [0.1, 0.9, 0.99, 0.01]),
    weightedSum: () => {
      const dtype = float();
      const shapes = Array.from({ length: 1 + r.below(3) }, anyShape);
      const weights = Array.from({ length: 1 + r.below(3) }, () => r.next());
      return {
        outs: shapes.map((shape) => plainOut(dtype, shape)),
        ins: shapes.flatMap((shape) => weights.map(() => plain(dtype, shape))),
        attrs: weights,
      };
    },
  };

  /** What no line above names: an elementwise kernel, of an arity that is found by trying, or one with attributes of its own. */
  function elementwise() {
    const shape = anyShape();
    const dtype = r.chance(0.5) ? float() : any();
    const input = (first) => {
      if (r.chance(0.2)) return scalar(dtype, r.below(7) - 3);
      const cut = shape.slice(r.chance(0.2) ? r.below(shape.length + 1) : 0).map((s) => (r.chance(0.1) ? 1 : s));
      return view(first && r.chance(0.3) ? "bool" : r.chance(0.8) ? dtype : any(), cut);
    };
    const ins = Array.from({ length: 1 + r.below(4) }, (_, i) => input(i === 0));
    return { outs: [out(r.chance(0.65) ? dtype : "bool", shape)], ins, attrs: [dtypes[dtype]] };
  }
  /** Float operands of one shape and up to three numbers: what most fused kernels take. */
  function uniform() {
    const dtype = float();
    const shape = anyShape();
    const operands = (n) => Array.from({ length: n }, () => plain(dtype, shape));
    return {
      outs: [r.chance(0.5) ? fresh(dtype, []) : plainOut(dtype, shape)],
      ins: operands(1 + r.below(3)),
      attrs: Array.from({ length: r.below(4) }, () => r.below(3)),
    };
  }

  const names = kernelNames();
  return () => {
    const opcode = r.below(names.length);
    const make = own[names[opcode]] ?? (r.chance(0.8) ? elementwise : uniform);
    return { opcode, ...make() };
  };
}
