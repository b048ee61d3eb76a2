#pragma once
#include "exec/call.h"

namespace nabla {

// The second attribute of these four says whether negative indices count from the end of the dimension. An index out of
// range is ERR_INDEX; what has been written by then is undefined, and all of it lies in the result.
// out[o, j, i] = x[o, index[j], i] along one dimension. attrs: [dim, from end].
Status run_index_select(const Call& call);
// out = x, then out[o, index[j], i] += source[o, j, i], in order of j. in: x, index, source. attrs: [dim, from
// end].
Status run_index_add(const Call& call);
// out[.., j, ..] = x[.., index[.., j, ..], ..]; index has the shape of out. attrs: [dim, from end].
Status run_gather(const Call& call);
// out = x, then out[.., index[.., j, ..], ..] = or += source[.., j, ..]. in: x, index, source. attrs: [dim,
// from end, add].
Status run_scatter(const Call& call);
// Concatenates the inputs along a dimension. attrs: [dim].
Status run_cat(const Call& call);
// Zeros with the input written to out[.., start + j * step, ..]. attrs: [dim, start, step].
Status run_embed(const Call& call);
// An uninitialized result, which the caller writes.
Status run_empty(const Call& call);
// out[i] = start + i * step. attrs: [start, step].
Status run_arange(const Call& call);

}  // namespace nabla
