// The pool, the allocator and the storages under many threads. Run as it is, and under the thread sanitizer.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "../workspace.h"
#include "base/layout.h"
#include "check.h"
#include "exec/common/tuning.h"
#include "exec/elementwise/elementwise.h"
#include "exec/registry.h"
#include "kernels/list.h"
#include "runtime/mapping.h"
#include "runtime/memory.h"
#include "runtime/pool.h"
#include "runtime/storage.h"

namespace nabla {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int64_t kSlower = 20;
#else
constexpr int64_t kSlower = 1;
#endif

void all_objects_have_the_same_list() { CHECK(stale_object() == nullptr); }

template <class F>
void on_threads(int count, F&& f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++) threads.emplace_back([&f, i] { f(i); });
  for (std::thread& t : threads) t.join();
}

uint64_t next_random(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

void every_chunk_runs_once() {
  for (int64_t chunks : {0, 1, 2, 3, 17, 1000, 100000}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(chunks));
    parallel_for(chunks, [&](int64_t c) { runs[static_cast<size_t>(c)].fetch_add(1); });
    for (auto& r : runs) CHECK(r.load() == 1);
  }
}

void results_are_visible_to_the_caller() {
  std::vector<int64_t> plain(64);
  for (int64_t round = 1; round <= 20000 / kSlower; round++) {
    parallel_for(64, [&](int64_t c) { plain[static_cast<size_t>(c)] += c; });
    for (int64_t c = 0; c < 64; c++) CHECK(plain[static_cast<size_t>(c)] == round * c);
  }
}

void nested_regions_run_inline() {
  std::atomic<int64_t> sum{0};
  parallel_for(20, [&](int64_t a) {
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(30, [&](int64_t b) {
      CHECK(std::this_thread::get_id() == outer);
      parallel_for(2, [&](int64_t c) { sum.fetch_add(a * 60 + b * 2 + c); });
    });
  });
  CHECK(sum.load() == 1200 * 1199 / 2);
}

void many_callers_at_once() {
  on_threads(8, [](int) {
    for (int64_t round = 0; round < 4000 / kSlower; round++) {
      std::vector<int> mine(37);
      parallel_for(37, [&](int64_t c) { mine[static_cast<size_t>(c)]++; });
      for (int runs : mine) CHECK(runs == 1);
    }
  });
}

void limits_belong_to_a_thread() {
  on_threads(3, [](int i) {
    set_thread_limit(i + 1);
    CHECK(thread_limit() == i + 1);
    if (i == 0) {
      const std::thread::id self = std::this_thread::get_id();
      parallel_for(100, [&](int64_t) { CHECK(std::this_thread::get_id() == self); });
    }
    set_thread_limit(0);
    CHECK(thread_limit() == pool_size());
  });
}

// A worker begins in the middle of a job for two: its half is the same when the job comes again.
void threads_begin_with_their_own_chunks() {
  set_thread_limit(2);
  constexpr int64_t kChunks = 64;
  const std::thread::id self = std::this_thread::get_id();
  for (int round = 0; round < 20; round++) {
    std::atomic<int64_t> begun{-1};
    parallel_for(kChunks, [&](int64_t c) {
      if (std::this_thread::get_id() != self) {
        int64_t none = -1;
        begun.compare_exchange_strong(none, c);
      } else if (c == 0) {
        while (begun.load() < 0) std::this_thread::yield();
      }
      CHECK(thread_limit() == 1);  // nested regions run inline
    });
    CHECK(begun.load() == kChunks / 2);
  }
  set_thread_limit(0);
}

// A light job leaves a sleeping worker alone; one after the other, they wake it.
void light_jobs_wake_nobody_unless_they_follow_each_other() {
  set_thread_limit(2);
  const std::thread::id self = std::this_thread::get_id();
  std::atomic<int> helped{0};
  const auto job = [&] {
    parallel_for(
        2,
        [&](int64_t) {
          if (std::this_thread::get_id() != self) helped.fetch_add(1);
          const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(5);
          while (std::chrono::steady_clock::now() < end) {
          }
        },
        Job::LIGHT);
  };
  job();  // starts the worker
  int alone = 0;  // on a busy machine a worker may not have come to sleeping
  for (int round = 0; round < 40; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    helped = 0;
    job();
    alone += helped == 0;
  }
  CHECK(alone >= 30);
  helped = 0;
  for (int i = 0; i < 100000 && helped == 0; i++) job();
  CHECK(helped > 0);
}

// A million short regions, with pauses now and then so that the workers fall asleep. A hang is the failure.
void no_wake_up_is_lost() {
  std::atomic<int64_t> total{0};
  const int64_t regions = 1000000 / kSlower;
  for (int64_t round = 0; round < regions; round++) {
    parallel_for(2, [&](int64_t) { total.fetch_add(1, std::memory_order_relaxed); });
    if (round % 10007 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round % 3 * 60));
  }
  CHECK(total.load() == 2 * regions);
}

void threads_come_and_go() {
  for (int64_t round = 0; round < 200 / kSlower + 5; round++)
    on_threads(3, [](int) {
      std::atomic<int> sum{0};
      parallel_for(10, [&](int64_t) { sum.fetch_add(1); });
      CHECK(sum.load() == 10);
    });
}

void a_workspace_keeps_blocks_and_gives_them_back() {
  const auto live = [] { return memory_stats().live_bytes; };
  const int64_t before = live();
  Workspace workspace;
  void* first = nullptr;
  for (int call = 0; call < 3; call++) {
    {
      Scratch small(workspace), large(workspace);
      first = small.get<char>(1000);
      CHECK(first && large.get<double>(5000));
    }
    CHECK(live() == before + static_cast<int64_t>(block_bytes(1000) + block_bytes(5000 * sizeof(double))));
  }
  {
    // The smallest that suffices; a larger one takes the place of one that does not.
    Scratch small(workspace), large(workspace);
    CHECK(small.get<char>(900) == first);
    CHECK(large.get<double>(6000));
    CHECK(large.get<double>(10));
  }
  CHECK(live() == before + static_cast<int64_t>(block_bytes(1000) + block_bytes(6000 * sizeof(double))));
  {
    Scratch all(workspace);
    CHECK(!all.get<char>(memory_stats().limit_bytes + 1));
    CHECK(live() == before);  // what was kept might have been what was missing
    CHECK(all.get<char>(1000));
    CHECK(all.get<char>(int64_t{50} << 20));
  }
  CHECK(live() == before);  // too large to keep
  {
    CHECK(Scratch(workspace).get<char>(1000));
  }
  CHECK(live() > before);
  workspace.release();
  CHECK(live() == before);
}

void each_thread_has_blocks_of_its_own() {
  Workspace workspace;
  set_thread_limit(4);
  for (int64_t round = 0; round < 200 / kSlower + 5; round++)
    parallel_for(64, [&](int64_t task) {
      Scratch memory(workspace), more(workspace);
      auto* numbers = memory.get<int64_t>(100 + task);
      CHECK(numbers && more.get<int64_t>(50));
      std::fill_n(numbers, 100 + task, task);
      CHECK(std::count(numbers, numbers + 100 + task, task) == 100 + task);
    });
  set_thread_limit(0);
}

// Blocks are their owner's alone while they live, aligned, and readable a little past the end.
void blocks_do_not_overlap() {
  const int64_t live_before = memory_stats().live_bytes;
  on_threads(6, [](int thread) {
    struct Block {
      unsigned char* data;
      size_t bytes;
      unsigned char mark;
    };
    std::vector<Block> blocks;
    uint64_t random = 88172645463325252ull + static_cast<uint64_t>(thread);
    for (int64_t round = 0; round < 20000 / kSlower; round++) {
      if (blocks.size() < 50 && next_random(random) % 2) {
        size_t bytes = next_random(random) % 100 == 0 ? next_random(random) % (5 << 20) : next_random(random) % 5000;
        auto* data = static_cast<unsigned char*>(allocate(bytes));
        CHECK(data != nullptr);
        CHECK(reinterpret_cast<uintptr_t>(data) % 64 == 0);
        auto mark = static_cast<unsigned char>(next_random(random));
        std::memset(data, mark, bytes);
        blocks.push_back({data, bytes, mark});
      } else if (!blocks.empty()) {
        size_t at = next_random(random) % blocks.size();
        Block b = blocks[at];
        blocks[at] = blocks.back();
        blocks.pop_back();
        for (size_t i = 0; i < b.bytes; i += b.bytes / 16 + 1) CHECK(b.data[i] == b.mark);
        if (b.bytes > 0) CHECK(b.data[b.bytes - 1] == b.mark);
        deallocate(b.data, b.bytes);
      }
      if (thread == 0 && round % 997 == 0) trim_memory();
    }
    for (const Block& b : blocks) deallocate(b.data, b.bytes);
  });
  CHECK(memory_stats().live_bytes == live_before);
  trim_memory();
  CHECK(memory_stats().cached_bytes == 0);
}

// A power of two of elements and its header fill their block: no eighth is wasted.
void powers_of_two_fit() {
  for (int log = 10; log < 30; log++) CHECK(block_bytes((size_t{1} << log) + 64) <= (size_t{1} << log) + 128);
}

// Large blocks that are alive together begin at different places of a page, or their cache sets would be the same.
void large_blocks_are_coloured() {
  constexpr size_t kBytes = 4 << 20, kPage = 4096;
  constexpr int kBlocks = 8;
  trim_memory();
  void* blocks[kBlocks];
  std::set<uintptr_t> places;
  for (void*& block : blocks) {
    block = allocate(kBytes);
    CHECK(block != nullptr);
    places.insert(reinterpret_cast<uintptr_t>(block) % kPage);
    std::memset(block, 1, kBytes + 64);
  }
  CHECK(places.size() == kBlocks);
  for (void* block : blocks) deallocate(block, kBytes);
  trim_memory();
}

void impossible_sizes_are_refused() {
  for (size_t bytes : {size_t{1} << 52, size_t{1} << 53, SIZE_MAX / 2, SIZE_MAX - 200, SIZE_MAX}) {
    CHECK(allocate(bytes) == nullptr);
    CHECK(create_storage(bytes, DType::F32) == nullptr);
  }
}

// Ids wander between threads while their storages are shared, attached and released.
void shared_storages_live_as_long_as_somebody_holds_them() {
  const int64_t before = live_storages();
  constexpr int kPlaces = 16;
  std::atomic<uint64_t> posted[kPlaces] = {};
  std::atomic<int64_t> attached{0};
  on_threads(6, [&](int thread) {
    uint64_t random = 1234567 + static_cast<uint64_t>(thread) * 7919;
    std::vector<Storage*> held;
    for (int64_t round = 0; round < 20000 / kSlower; round++) {
      std::atomic<uint64_t>& place = posted[next_random(random) % kPlaces];
      switch (next_random(random) % 4) {
        case 0: {
          Storage* s = create_storage(next_random(random) % 9000, DType::U8);
          CHECK(s != nullptr);
          place.store(share_storage(s, next_random(random) % 2 ? &held : nullptr));
          held.push_back(s);
          break;
        }
        case 1: {
          Storage* s = attach_storage(place.load());
          if (!s) break;
          CHECK(s->refs.load() > 0);
          attached.fetch_add(1);
          held.push_back(s);
          break;
        }
        case 2:
          if (!held.empty()) place.store(share_storage(held.back(), &held));
          break;
        default:
          if (held.empty()) break;
          release(held.back());
          held.pop_back();
      }
    }
    for (Storage* s : held) release(s);
    release_shared(&held);
  });
  CHECK(attached.load() > 0);
  CHECK(live_storages() == before);
  for (auto& place : posted) CHECK(attach_storage(place.load()) == nullptr);
}

// 64 bytes beyond the end are readable, also where the file ends with a page; what is written stays in the map.
void parts_of_files_are_mapped() {
  const int64_t before = live_storages();
  std::FILE* file = std::tmpfile();
  CHECK(file != nullptr);
  constexpr size_t kBytes = 65536;
  std::vector<char> content(kBytes);
  for (size_t i = 0; i < kBytes; i++) content[i] = static_cast<char>(i % 251);
  CHECK(std::fwrite(content.data(), 1, kBytes, file) == kBytes && std::fflush(file) == 0);
  const int descriptor = fileno(file);
  for (size_t start : {size_t{0}, size_t{8}, size_t{4096}, size_t{5000}, kBytes - 8}) {
    for (size_t bytes : {size_t{8}, size_t{512}, kBytes - start}) {
      if (start + bytes > kBytes) continue;
      void* map = map_file(descriptor, static_cast<int64_t>(start), bytes);
      CHECK(map != nullptr);
      Storage* s = create_mapped_storage(map, bytes, DType::U8);
      CHECK(std::memcmp(s->data, content.data() + start, bytes) == 0);
      for (size_t i = 0; i < 64; i++) static_cast<void>(static_cast<volatile char*>(s->data)[bytes + i]);
      std::memset(s->data, 1, bytes);
      SmallStorages small;
      small.put(s);
    }
  }
  CHECK(map_file(descriptor, 0, 0) == nullptr);
  CHECK(map_file(descriptor, 8, kBytes) == nullptr);
  CHECK(map_file(descriptor, -8, 8) == nullptr);
  CHECK(map_file(descriptor, INT64_MAX, SIZE_MAX) == nullptr);
  CHECK(map_file(-1, 0, 8) == nullptr);
  void* again = map_file(descriptor, 0, kBytes);
  CHECK(again != nullptr && std::memcmp(again, content.data(), kBytes) == 0);
  unmap_file(again, kBytes);
  CHECK(live_storages() == before);
  std::fclose(file);
}

void stocks_count_only_what_is_live() {
  const int64_t before = live_storages(), bytes = live_storage_bytes();
  on_threads(4, [](int) {
    SmallStorages small;
    std::vector<Storage*> held;
    uint64_t random = 99;
    for (int64_t round = 0; round < 20000 / kSlower; round++) {
      if (held.size() < 30 && next_random(random) % 2) {
        size_t size = next_random(random) % (SmallStorages::kLargest + 1);
        Storage* s = small.take(size, DType::F32);
        CHECK(s && s->bytes == size && s->capacity >= size && s->refs.load() == 1 && s->id.load() == 0);
        std::memset(s->data, 1, s->capacity);
        held.push_back(s);
      } else if (!held.empty()) {
        small.put(held.back());
        held.pop_back();
      }
      if (round % 1000 == 0) CHECK(live_storages() >= 0);
    }
    for (Storage* s : held) small.put(s);
  });
  CHECK(live_storages() == before);
  CHECK(live_storage_bytes() == bytes);
}

}  // namespace
}  // namespace nabla

namespace nabla {
namespace {

void large_results_are_written_past_the_cache() {
  for (int64_t n : {kStreamed / 4, kStreamed / 4 - 1}) {
    View x;
    x.dtype = DType::F32;
    x.rank = 1;
    x.dims[0] = n;
    set_contiguous(x);
    View out = x;
    Scratch a(test::workspace()), b(test::workspace());
    x.data = a.get<float>(n);
    out.data = b.get<float>(n);
    CHECK(x.data && out.data);
    for (int64_t i = 0; i < n; i++) x.as<float>()[i] = static_cast<float>(i);
    const View operands[] = {out, x, x};
    const double type = static_cast<int>(DType::F32);
    const int64_t before = times_streamed();
    CHECK(run_elementwise(Call{-1, 1, 2, 1, operands, &type, test::workspace()}, static_cast<int>(Elementwise::add))
              .ok());
    CHECK((times_streamed() > before) == (n * 4 >= kStreamed));
    for (int64_t i = 0; i < n; i++) CHECK(out.as<float>()[i] == 2 * static_cast<float>(i));
  }
}

void memory_that_was_touched_stays_touched() {
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  const auto step = [] {
    const auto bytes = [](int i) { return size_t{300'000} << i; };
    void* blocks[6];
    for (int i = 0; i < 6; i++) {
      blocks[i] = allocate(bytes(i));
      CHECK(blocks[i]);
      for (size_t at = 0; at < bytes(i); at += 4096) static_cast<char*>(blocks[i])[at] = 1;
    }
    for (int i = 0; i < 6; i++) deallocate(blocks[i], bytes(i));
  };
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  step();
  const auto before = faults();
  for (int i = 0; i < 100; i++) step();
  CHECK(faults() - before < 10);  // 470,000 pages are written
#endif
}

}  // namespace
}  // namespace nabla

int main() {
  // More threads than cores, so that they get in each other's way.
  setenv("NABLA_NUM_THREADS", "4", 1);
  struct {
    const char* name;
    void (*run)();
  } tests[] = {
#define TEST(name) {#name, nabla::name}
      TEST(settings_are_read_as_people_write_them),
      TEST(limits_of_groups_are_found),
      TEST(all_objects_have_the_same_list),
      TEST(every_chunk_runs_once),
      TEST(results_are_visible_to_the_caller),
      TEST(nested_regions_run_inline),
      TEST(many_callers_at_once),
      TEST(limits_belong_to_a_thread),
      TEST(threads_begin_with_their_own_chunks),
      TEST(light_jobs_wake_nobody_unless_they_follow_each_other),
      TEST(no_wake_up_is_lost),
      TEST(threads_come_and_go),
      TEST(a_workspace_keeps_blocks_and_gives_them_back),
      TEST(each_thread_has_blocks_of_its_own),
      TEST(blocks_do_not_overlap),
      TEST(powers_of_two_fit),
      TEST(large_blocks_are_coloured),
      TEST(impossible_sizes_are_refused),
      TEST(shared_storages_live_as_long_as_somebody_holds_them),
      TEST(parts_of_files_are_mapped),
      TEST(stocks_count_only_what_is_live),
      TEST(large_results_are_written_past_the_cache),
      TEST(memory_that_was_touched_stays_touched),
#undef TEST
  };
  for (auto& test : tests) {
    auto start = std::chrono::steady_clock::now();
    test.run();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%-55s %6.2f s\n", test.name, seconds);
  }
}
