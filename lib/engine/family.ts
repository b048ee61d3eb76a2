/** What rows of one kind share: how shapes follow, how vmap batches them, how their work is counted. */
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
