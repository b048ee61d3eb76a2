// A matrix product whose right operand, the im2col matrix, is gathered panel by panel as it is used.
#pragma once
#include "exec/conv/parts.h"

namespace nabla::conv {

// Where results go: element (image, row, y, x).
template <class T>
struct Target {
  T* data;
  int64_t image, row, line, place;
  T* at(int64_t n, int64_t o, int64_t y, int64_t x) const { return data + n * image + o * row + y * line + x * place; }
};

// target = weights [groups, m, depth] times the im2col matrix of each group.
template <class T>
struct Product {
  Workspace* workspace;
  Im2col w;
  int64_t images, groups, m;
  const T* weights;
  int64_t weights_row, weights_k;
  const T* source;
  Target<T> target;
  int64_t source_group() const { return w.channels * w.y.size * w.x.size; }
  bool in_order() const { return target.place == 1 && target.line == w.x.places; }
};

template <class T>
Status multiply(const Product<T>& p);

}  // namespace nabla::conv
