/** What happens to pictures before they reach the layers that learn. */
import { arange, nn, noGrad, rand, type Tensor } from "nabla";

/** Bytes as numbers from 0 to 1. */
export const scaled = (x: Tensor): Tensor => x.to("float32").div(255);

export interface RandomAffineOptions {
  /** The largest move along each axis, in pixels. */
  readonly shift: number;
  /** The largest angle. */
  readonly degrees: number;
  /** The largest change of the size, as a share. */
  readonly scale: number;
}

/** Moves, turns and scales each picture at random, while training; what is outside of a picture is 0. */
export class RandomAffine extends nn.Module {
  readonly side: number;
  readonly options: RandomAffineOptions;
  /** The distances of all pixels from the middle, [1, side²]. */
  private readonly rows: Tensor;
  private readonly columns: Tensor;

  /** For pictures [n, side²]. */
  constructor(side: number, options: RandomAffineOptions) {
    super();
    this.side = side;
    this.options = options;
    const distances = arange(side, { dtype: "float32" }).sub((side - 1) / 2);
    this.rows = distances.reshape([side, 1]).expand([side, side]).reshape([1, -1]);
    this.columns = distances.reshape([1, side]).expand([side, side]).reshape([1, -1]);
  }

  override forward(x: Tensor): Tensor {
    return this.training ? noGrad(() => this.moved(x)) : x;
  }

  private moved(x: Tensor): Tensor {
    const { side, rows, columns } = this;
    const { shift, degrees, scale } = this.options;
    const n = x.size(0);
    const random = (most: number): Tensor =>
      rand([n, 1])
        .mul(2 * most)
        .sub(most);
    const angle = random((degrees * Math.PI) / 180);
    const size = random(scale).add(1);
    const [cos, sin] = [angle.cos().div(size), angle.sin().div(size)];
    // For each pixel of the result the place in x that it comes from.
    const middle = (side - 1) / 2;
    const down = rows.mul(cos).add(columns.mul(sin)).add(random(shift)).add(middle);
    const right = columns.mul(cos).sub(rows.mul(sin)).add(random(shift)).add(middle);
    const [top, left] = [down.floor(), right.floor()];
    const [below, beside] = [down.sub(top), right.sub(left)];
    // With a frame of zeros, every place outside has a neighbour in it.
    const framed = x.reshape([n, side, side]).pad([1, 1, 1, 1]).reshape([n, -1]);
    const at = (row: Tensor, column: Tensor): Tensor => {
      const [i, j] = [row, column].map((place) => place.add(1).clamp({ min: 0, max: side + 1 }));
      return framed.gather(
        1,
        i!
          .mul(side + 2)
          .add(j!)
          .to("int32"),
      );
    };
    const between = (row: Tensor): Tensor =>
      at(row, left)
        .mul(beside.neg().add(1))
        .add(at(row, left.add(1)).mul(beside));
    return between(top)
      .mul(below.neg().add(1))
      .add(between(top.add(1)).mul(below));
  }
}
