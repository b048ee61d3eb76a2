#pragma once
#include "exec/call.h"

namespace nabla {

// softmax(query keyᵀ scale + mask) value, in blocks: scores of a fixed number of queries and keys at a time.
// in: query [.., g, l, e], key [.., s, e], value [.., s, v] of any strides, and perhaps a mask [.., g, l, s] of truth
// values (true: seen) or floats (added). out: [.., g, l, v]; and, for the gradient, the log-sum-exp of each row of
// scores [.., g, l] or, for at most 1,024 keys, their weights, before they are divided by their sum, [.., g, l, n] with
// n > s; the last of the n is what they are to be multiplied with. Halves are computed in float32, of which the mask
// is, and rounded once: then the second result is a list of that, followed by the first result before it is rounded.
// attrs: scale, causal, the probability of dropping a weight, and unless that is 0 key low, key high, stream.
Status run_attention(const Call& call);
// in: the gradient of out, out, query, key, value, what out came with, and perhaps the mask. out: the gradients of
// query, key and value.
Status run_attention_backward(const Call& call);

}  // namespace nabla
