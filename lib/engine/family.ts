/** Shared by the rows of a family: shape inference, how vmap batches them, how their work is counted. */
export type Family =
  | "unary"
  | "binary"
  | "ternary"
  | "compare"
  | "reduce"
  | "movement"
  | "index"
  | "matmul"
  | "linalg"
  | "random"
  | "creation"
  | "fused"
  | "optimizer";
