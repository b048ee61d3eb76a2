import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { Batched } from "../engine/batched.js";
import { makeLeaf } from "../engine/leaf.js";
import { needTensor } from "../engine/operand.js";
import { outlive } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";

export interface ParameterOptions {
  /** Whether it accumulates gradients; default true. */
  readonly requiresGrad?: boolean | undefined;
}
export interface BufferOptions {
  /** Whether it is part of the module's `stateDict`; default true. */
  readonly persistent?: boolean | undefined;
}

/** The tensor whose storage a module holds: contiguous, outside the graph. */
function held(op: string, data: unknown): Tensor {
  const source = needTensor(op, data, "the data").detach();
  if (source instanceof Batched) fail("ERR_ARGUMENT", op, "inside vmap a tensor stands for a batch and has no storage");
  return source.layout === null ? source : source.contiguous();
}

/**
 * A learned tensor of a module: {@link Module.parameters} finds it, an optimizer updates it. It is a leaf that requires
 * grad. It shares the storage of the tensor that it is made from if that is contiguous.
 * @dtype a float dtype, unless `requiresGrad` is false.
 * @throws ERR_ARGUMENT for data that is not a tensor; ERR_GRADIENT for an integer tensor.
 * @example
 * class Scale extends nn.Module {
 *   factor = new nn.Parameter(ones([1]));
 *   override forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, options?: ParameterOptions) {
    const { requiresGrad = true } = checkOptions<ParameterOptions>("Parameter", options, [], ["requiresGrad"]);
    const { handle, type, shape, offset } = held("Parameter", data);
    super(handle, type, shape, null, offset, null);
    if (requiresGrad) makeLeaf(this);
  }
  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Parameter containing:\n${this.toString()}`;
  }
}

/**
 * A tensor that belongs to a module's state but is not learned, such as a running mean.
 * @throws ERR_ARGUMENT for data that is not a tensor.
 * @example
 * class Center extends nn.Module {
 *   mean = new nn.Buffer(zeros([3]));
 *   override forward(x: Tensor): Tensor {
 *     return x.sub(this.mean);
 *   }
 * }
 */
export class Buffer extends Tensor {
  /** Whether it is part of the module's `stateDict`. */
  readonly persistent: boolean;

  constructor(data: Tensor, options?: BufferOptions) {
    const { persistent = true } = checkOptions<BufferOptions>("Buffer", options, [], ["persistent"]);
    const { handle, type, shape, offset } = held("Buffer", data);
    super(handle, type, shape, null, offset, null);
    this.persistent = persistent;
  }
}

// esbuild renames it to Buffer2, as Node has a Buffer.
Object.defineProperty(Buffer, "name", { value: "Buffer", configurable: true });

/**
 * @internal Replaces the data of a parameter or buffer by another contiguous tensor of the same shape. It stays the
 * same object, so optimizers and other modules that hold it see the change. It then shares the storage of the source.
 */
export function replace(target: Tensor, source: Tensor): void {
  const { handle, type, offset } = held("replace", source);
  outlive(handle);
  const old = target.handle;
  if (--old.users <= 0) old.release();
  target.handle = handle;
  target.type = type;
  target.offset = offset;
}
